"""The whole product in one file: a tiny graph, its file, and the same bits on every executor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.ir import Graph, Value, parse
from edgeternary.ops import Dense, Threshold
from edgeternary.passes import optimize
from edgeternary.run import run
from edgeternary.run.compare import compare
from edgeternary.testing import assert_bit_exact
from tests.need import need

# Two inputs, three hidden signs, two classes; everything below can be checked by hand.
GRAPH = Graph(
    name="tiny",
    inputs=Value("x", (2,), parse("uint8"), 0, 255),
    ops=(
        Dense(
            name="hidden",
            inputs=("x",),
            weights=np.array([[1, -1], [1, 0], [0, 1]], np.int8),
            weight_type="ternary",
            bias=np.array([0, -100, 5], np.int32),
        ),
        Threshold(
            name="sign",
            inputs=("hidden",),
            t=np.array([[0], [1], [50]], np.int32),
            base=np.array([-1, -1, 1], np.int32),
            step=np.array([2, 2, -2], np.int32),
            type="bipolar",
        ),
        Dense(
            name="logits",
            inputs=("sign",),
            weights=np.array([[1, 1, -1], [-1, 1, 1]], np.int8),
            weight_type="bipolar",
            bias=np.array([0, 1], np.int32),
        ),
    ),
    outputs="logits",
)
INPUTS = np.array([[0, 0], [200, 10], [10, 200], [255, 255], [101, 45], [100, 44], [101, 101]])
NEEDS = {
    "onnxruntime": ("onnxruntime",),
    "host": ("zig|gcc|clang",),
    "cortex-m0plus": ("zig|arm-none-eabi-gcc", "unicorn", "capstone"),
    "cortex-m4": ("zig|arm-none-eabi-gcc", "unicorn", "capstone"),
    "hdl": ("amaranth",),
}


def test_numpy_gives_what_one_works_out_by_hand() -> None:
    np.testing.assert_array_equal(run(GRAPH, INPUTS).outputs, _by_hand())


def _by_hand() -> np.ndarray:
    rows = []
    for a, b in INPUTS.tolist():
        s = (1 if a - b >= 0 else -1, 1 if a - 100 >= 1 else -1, -1 if b + 5 >= 50 else 1)
        rows.append([s[0] + s[1] - s[2], -s[0] + s[1] + s[2] + 1])
    return np.array(rows)


def test_the_file_holds_the_whole_model(tmp_path: Path) -> None:
    edgeternary.save(GRAPH, tmp_path / "tiny.et")
    np.testing.assert_array_equal(run(edgeternary.load(tmp_path / "tiny.et"), INPUTS).outputs, _by_hand())


@pytest.mark.emulator
@pytest.mark.parametrize("executor", NEEDS)
def test_every_executor_gives_the_same_bits(executor: str, tmp_path: Path) -> None:
    need(*NEEDS[executor])
    edgeternary.save(optimize(GRAPH), tmp_path / "tiny.et")
    assert_bit_exact(tmp_path / "tiny.et", on=[executor], inputs=INPUTS)
    (found,) = compare(GRAPH, INPUTS, [executor])
    assert (found.samples, found.mismatches) == (len(INPUTS), 0)
    taps = run(GRAPH, INPUTS, on=executor, taps=True).taps
    np.testing.assert_array_equal(taps["logits"], _by_hand())


@pytest.mark.emulator
def test_a_cortex_m_counts_what_it_does() -> None:
    need(*NEEDS["cortex-m4"])
    stats = run(GRAPH, INPUTS, on="cortex-m4").stats
    for quantity in ("instructions", "cycles", "flash_bytes", "ram_bytes"):
        found = stats[quantity]
        assert isinstance(found, int | float) and found > 0
