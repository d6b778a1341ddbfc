"""A language model as hardware: exact, in exactly the cycles that are estimated, its norms in one part."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from edgeternary.ir import Graph, State, Value
from edgeternary.ops import Add, Dense, Requantize, RmsNorm, build
from edgeternary.run import run
from tests.full import FULL
from tests.need import need

pytest.importorskip("torch")
from tests.lm.models import lowered, small, texts


@pytest.mark.parametrize(
    ("sizes", "pace", "family", "answer", "stalls", "steps"),
    [
        ((12, 2, 20) if FULL else (8, 1, 12), 64, "ecp5", True, None, 4 if FULL else 3),
        ((8, 1, 12), 200, "ecp5", False, 3, 2),
        ((8, 1, 12) if FULL else (4, 1, 6), 1, "", True, 1, 2),
        ((8, 1, 12), 64, "", False, None, 3),
    ],
)
@pytest.mark.slow
def test_a_small_model(
    sizes: tuple[int, int, int], pace: int, family: str, answer: bool, stalls: int | None, steps: int
) -> None:
    need("amaranth")
    from edgeternary.hdl import devices, memory
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build as build_design

    graph = lowered(small(*sizes))
    codes = texts(1, steps)[..., None].astype(np.int32)
    design = build_design(graph, fold(graph, cycles=pace), answer=answer)
    if family:
        design = memory.placed(design, devices.family(family))
    latency, cycles = design.latency, design.cycles
    ours, theirs = run(graph, codes, taps=True), simulate(design, codes, taps=not answer, stalls=stalls)
    for name, found in theirs.taps.items():
        np.testing.assert_array_equal(found, ours.taps[name], err_msg=name)
    np.testing.assert_array_equal(theirs.outputs, ours.outputs)
    if stalls is None:
        assert theirs.times[0] + 1 == latency
        assert np.diff(theirs.times).tolist()[1:] == [cycles] * (steps - 2)


def chain(*, parallel: bool) -> Graph:
    """Two norms, one after the other or side by side, before their sum; with a state."""
    x = build.value("x", (4,), "int8")

    def scale(name: str, source: str) -> Requantize:
        m, b, s = (np.full(4, number, np.int32) for number in (255, 0, 15))
        return Requantize(
            name=name, inputs=(source,), m=m, b=b, s=s, zero=0, lo=-127, hi=127,
            rounding="half_up", type="int8",
        )  # fmt: skip

    ops = (
        RmsNorm(name="n1", inputs=("x",)), scale("q1", "n1"),
        RmsNorm(name="n2", inputs=("x" if parallel else "q1",)), scale("q2", "n2"),
        Add(name="sum", inputs=("q1", "q2")), scale("kept", "sum"),
    )  # fmt: skip
    kept = build.graph(x, *ops).values["kept"]
    state = State(Value("h", kept.shape, kept.type, kept.lo, kept.hi), np.zeros(4, np.int32), "kept")
    return Graph("chain", x, (*ops, Add(name="y", inputs=("kept", "h"))), "y", (state,))


def test_only_norms_that_follow_each_other_share_a_part() -> None:
    need("amaranth")
    from edgeternary.hdl.turns import groups

    serial = chain(parallel=False)
    assert [[turn[0].name for turn in turns] for _, turns in groups(serial)] == [["n1", "n2"]]
    assert groups(chain(parallel=True)) == []
    assert groups(replace(serial, states=(), outputs=("kept",), ops=serial.ops[:-1])) == []


def test_norms_that_do_not_share() -> None:
    """One that no answer depends on, and one whose value is kept beside its codes."""
    need("amaranth")
    from edgeternary.hdl.turns import groups

    serial = chain(parallel=False)
    *first, old, kept, y = serial.ops
    dead = replace(serial, ops=(*first, msgspec.structs.replace(old, inputs=("q1", "q1")), kept, y))
    n1 = serial.values["n1"]
    state = State(Value("before", n1.shape, n1.type, n1.lo, n1.hi), np.zeros(4, np.int32), "n1")
    more = Add(name="z", inputs=("y", "before"))
    shown = replace(serial, ops=(*serial.ops, more), outputs=("z",), states=(*serial.states, state))
    codes = np.random.default_rng(6).integers(-128, 128, (2, 3, 4)).astype(np.int32)
    for graph in (dead, shown):
        assert groups(graph) == []
        np.testing.assert_array_equal(run(graph, codes, on="hdl").outputs, run(graph, codes).outputs)


@pytest.mark.parametrize("parallel", [False, True])
def test_two_norms(parallel: bool) -> None:
    need("amaranth")
    graph = chain(parallel=parallel)
    codes = np.random.default_rng(5).integers(-128, 128, (2, 4, 4)).astype(np.int32)
    found = run(graph, codes, on="hdl", options={"stalls": 1})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)


def test_layers_of_one_vector_become_one_matrix() -> None:
    need("amaranth")
    from edgeternary.hdl.passes.together import together

    graph = lowered(small(8, 1, 12))
    merged = together(graph)
    codes = texts(2, 4)[..., None]
    np.testing.assert_array_equal(run(merged, codes).outputs, run(graph, codes).outputs)
    sizes = [op.weights.shape for op in merged.ops if isinstance(op, Dense)]
    assert sizes == [(24, 8), (8, 8), (24, 8), (8, 12), (13, 8)]


def test_what_branches_have_to_hold() -> None:
    need("amaranth")
    from edgeternary.hdl.branches import SMALL, capacities

    graph = lowered(small(8, 1, 12))
    readers = [("blocks.0.mixer.norm", 0), ("blocks.0.mixer.sum", 0)]
    assert capacities(graph, readers, 8, 8) == [0, 8]  # the norm lags, the sum waits for it
    gates = [("blocks.0.mixer.f", 0), ("blocks.0.mixer.rest", 0)]
    assert capacities(graph, gates, 128, 4096) == [0, 0]
    assert capacities(graph, gates, 128, 128) == [SMALL, SMALL]
    written = [("blocks.0.mixer.open", 0), ("", 1)]
    assert capacities(graph, written, 8, 8) == [0, 0]  # a state has room of its own
