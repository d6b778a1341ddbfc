"""Ternary weights packed five in a byte: chosen where they save, exact, in the predicted cycles."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.hdl import estimate, memory, plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import family
from edgeternary.hdl.folding import fold
from edgeternary.hdl.simulation.bench import simulate
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from edgeternary.ops import Dense
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary_hw import MatrixVector
from tests.need import need


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def packed(design: Design) -> list[MatrixVector]:
    return [part for _, part in design.top.parts if isinstance(part, MatrixVector) and part.packed]


def graph(kind: str = "uint2") -> Graph:
    """A matrix of 32 x 180; 20 weights a cycle are 40 bits of two planes, 32 packed."""
    fc = Dense(
        name="fc", inputs=("x",), weight_type="ternary", bias=np.arange(32, dtype=np.int32),
        weights=np.random.default_rng(3).integers(-1, 2, (32, 180)).astype(np.int8),
    )  # fmt: skip
    return ops.graph(ops.value("x", (180,), kind), fc, name="trits")


def design(net: Graph, missing: int) -> Design:
    """A matrix with 20 weights a cycle, in `missing` block RAMs less than it would take."""
    made = build(net, fold(net, cycles=288), answer=True)
    (unit,) = (part for _, part in made.top.parts if isinstance(part, MatrixVector))
    assert unit.pe * unit.simd == 20
    wanted = memory.allocate(made.top.parts, family("ice40"), 99).used
    return memory.placed(made, family("ice40"), wanted - missing)


def test_only_where_blocks_are_short() -> None:
    net = graph()
    wide, narrow = design(net, 0), design(net, 1)
    assert not packed(wide) and len(packed(narrow)) == 1
    wanted = estimate.total(wide, "ice40", 99)
    needed = estimate.total(narrow, "ice40", wanted["ram_blocks"] - 1)
    assert needed["ram_blocks"] == wanted["ram_blocks"] - 1 and needed["luts"] > wanted["luts"]


@pytest.mark.parametrize("kind", ["uint2", "int3", "ternary", "bipolar"])
@pytest.mark.parametrize("stalls", [None, 5])
def test_exact_in_the_predicted_cycles(kind: str, stalls: int | None) -> None:
    net = graph(kind)
    made = design(net, 1)
    assert packed(made)
    inputs = ops.samples(np.random.default_rng(1), net.input, 5)
    done = simulate(made, inputs, stalls=stalls)
    np.testing.assert_array_equal(done.outputs, run(net, inputs).outputs)
    if stalls is None:
        assert done.times[-1] - done.times[-2] == made.cycles


def test_a_flipped_bit_of_a_byte_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    net = graph()
    real = MatrixVector._rom
    monkeypatch.setattr(MatrixVector, "_rom", lambda part: [word ^ 2 for word in real(part)])
    inputs = ops.samples(np.random.default_rng(1), net.input, 2)
    assert np.any(simulate(design(net, 1), inputs).outputs != run(net, inputs).outputs)


def test_a_cnn_that_saves_a_thousand_luts_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    constraints = Constraints("up5k", 1000)
    made = plan.design(zoo.load("mnist-cnn-2bit"), constraints)
    assert len(packed(made)) == 2
    with_them = estimate.total(made, "up5k", 30)
    monkeypatch.setattr(MatrixVector, "packable", False)
    without = estimate.total(plan.design(made.graph, constraints), "up5k", 30)
    assert with_them["luts"] + 1000 < without["luts"] and with_them["cycles"] == without["cycles"]
