"""Models with states on the command line: steps in inputs, the last step's class, what cannot carry state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeternary.ir.file import save
from edgeternary.passes.cut import after
from edgeternary.run import run
from tests.cli.conftest import Answer
from tests.need import need
from tests.registry.graphs import inputs, leaky

Call = Callable[..., Answer]


@pytest.fixture
def spiking(tmp_path: Path) -> Path:
    save(leaky(), tmp_path / "spiking.et")
    return tmp_path / "spiking.et"


def test_accuracy_is_that_of_the_last_step(et: Call, spiking: Path, tmp_path: Path) -> None:
    codes = inputs(leaky(), 1200, steps=5)
    last = run(leaky(), codes).outputs[:, -1].argmax(1)
    labels = np.where(np.arange(1200) % 4 == 0, last + 1, last)
    np.savez(tmp_path / "events.npz", inputs=codes, labels=labels)
    answer = et("simulate", spiking, "--inputs", tmp_path / "events.npz", "--json")
    assert answer.code == 0
    assert answer.json()[0]["accuracy"] == 0.75


@pytest.mark.emulator
def test_executors_are_compared_over_all_steps(et: Call, spiking: Path) -> None:
    need("zig", "unicorn", "capstone", "onnxruntime")
    answer = et("simulate", spiking, "--on", "numpy,host,cortex-m4,onnxruntime", "--compare", "--json")
    assert answer.code == 0
    assert [row["mismatches"] for row in answer.json()] == [0, 0, 0, 0]


def test_inputs_without_steps_and_tools_without_states_are_refused(
    et: Call, spiking: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "flat.npy", np.zeros((3, 9), np.uint8))
    answer = et("simulate", spiking, "--inputs", tmp_path / "flat.npy")
    assert answer.code == 1 and "(samples, steps, 9)" in answer.err


def test_a_model_starts_after_a_layer_with_the_states_that_follow_it(et: Call, spiking: Path) -> None:
    whole = leaky()
    codes = inputs(whole, 3, steps=5)
    ran = run(whole, codes, taps=True)
    part = after(whole, "drive")
    assert part.states == whole.states
    np.testing.assert_array_equal(run(part, ran.taps["drive"]).outputs, ran.outputs)
    answer = et("simulate", spiking, "--from", "drive", "--on", "numpy,host", "--compare", "--json")
    assert answer.code == 0, answer.err
    assert [row["mismatches"] for row in answer.json()] == [0, 0]
    inner = next(
        op.name for op in reversed(whole.ops) if set(op.inputs) & {s.value.name for s in whole.states}
    )
    answer = et("simulate", spiking, "--from", inner)
    assert answer.code == 1 and f"cannot start after '{inner}'" in answer.err


@pytest.mark.slow
def test_hardware_keeps_states(et: Call, spiking: Path) -> None:
    """The bare core and the design of a device; no sample differs, nor does any step."""
    need("amaranth")
    answer = et("simulate", spiking, "--on", "hdl,hdl:up5k", "--stalls", 3, "--compare", "--json")
    assert answer.code == 0, answer.err
    assert [row["mismatches"] for row in answer.json()] == [0, 0]
