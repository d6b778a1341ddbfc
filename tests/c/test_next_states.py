"""Next contents of states are made in the states' memory, but never while the old content is still needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c import memory
from edgeternary.c.layouts import NATURAL
from edgeternary.c.plan import Buffer, Place, Plan
from edgeternary.c.select import OBJECTIVES, select
from edgeternary.ir import Graph, Op, State
from edgeternary.ops import Concat, Conv2d, Dense, MaxPool, Shift, Slice, build
from tests.c.graphs import stateful
from tests.c.harness import check, every_plan
from tests.c.played import play
from tests.need import need
from tests.registry import graphs, loops

X = build.value("x", (4,), "uint4")
MOVED = Shift(name="moved", inputs=("past", "x"))
PART = Slice(name="part", inputs=("moved",), start=2, stop=7)
LATE = Slice(name="late", inputs=("past",), start=1, stop=6)


def state(name: str, written: str) -> State:
    return State(build.value(name, (12,), "uint4"), np.arange(12, dtype=np.int32), written)


def graph(*ops: Op, more: tuple[State, ...] = (), output: str = "") -> Graph:
    return Graph("register", X, ops, output or ops[-1].name, (state("past", "moved"), *more))


def held(shape: tuple[int, ...], type: str, *ops: Op) -> Graph:
    """`past` goes through `ops`, the last of which makes its own next content, `moved`."""
    value = build.value("past", shape, type)
    init = np.arange(value.size, dtype=np.int32).reshape(shape) % (value.hi + 1)
    x = build.value("x", (*shape[:-1], 2), type)
    both = Concat(name="both", inputs=("moved", "x"))
    return Graph("held", x, (*ops, both), "both", (State(value, init, "moved"),))


def through(shape: tuple[int, ...], type: str, layer: Op) -> Graph:
    """The same with thresholds on the sums of `layer`."""
    sums = layer.infer([build.value("past", shape, type)])
    return held(shape, type, layer, build.random_thresholds(RNG, sums, type, "moved"))


def convolution(groups: int = 1) -> Conv2d:
    weights = build.codes(RNG, (4, 3, 3, 4 // groups), "ternary")
    return Conv2d(
        name="conv", inputs=("past",), weights=weights, weight_type="ternary", bias=np.zeros(4, np.int32),
        pad=(1, 1, 1, 1), pad_value=0, groups=groups,
    )  # fmt: skip


def dense(inputs: int, outputs: int) -> Dense:
    weights = build.codes(RNG, (outputs, inputs), "ternary")
    return Dense(
        name="fc", inputs=("past",), weights=weights, weight_type="ternary", bias=np.zeros(outputs, np.int32)
    )


RNG = np.random.default_rng(5)
POOL = MaxPool(
    name="moved", inputs=("past",), kernel=(3, 3), stride=(1, 1), pad=(1, 1, 1, 1),
    minimum=np.zeros(4, np.uint8),
)  # fmt: skip
LEVELS = build.random_thresholds(RNG, build.value("past", (12,), "uint4"), "uint4", "moved")
HEAD = Slice(name="head", inputs=("past",), start=0, stop=4)
LOOPS = {  # the layer that makes the next content is the last to read the old one
    "dense": through((12,), "uint4", dense(12, 12)),
    "dense, bits": through((32,), "binary", dense(32, 32)),
    "conv2d": through((5, 4, 4), "uint2", convolution()),
    "depthwise": through((5, 4, 4), "uint2", convolution(4)),
    "max_pool": held((5, 4, 4), "uint2", POOL),
    "shift by its own head": held((12,), "uint4", HEAD, Shift(name="moved", inputs=("past", "head"))),
    "threshold": held((12,), "uint4", LEVELS),
}  # fmt: skip

CASES = {  # name: (graph, where the next content of `past` is made)
    "nobody needs the old": (graph(MOVED, PART), "state"),
    "read before": (graph(LATE, MOVED, Concat(name="both", inputs=("moved", "late"))), "state"),
    "read after": (graph(MOVED, LATE, Concat(name="both", inputs=("moved", "late"))), "arena"),
    "another state takes the old": (graph(MOVED, PART, more=(state("older", "past"),)), "arena"),
    "two states take the new": (graph(MOVED, PART, more=(state("same", "moved"),)), "arena"),
    "it is the answer": (graph(MOVED), "out"),
}


@pytest.mark.parametrize("name", CASES)
def test_where_the_next_content_is_made(name: str) -> None:
    found, kind = CASES[name]
    plan = select(found, "cortex-m4")
    assert plan.places[Buffer(found.values["moved"], NATURAL)].kind == kind


@pytest.mark.parametrize("name", CASES)
def test_every_plan_is_exact(name: str, tmp_path: Path) -> None:
    need("gcc")
    check(list(every_plan(CASES[name][0])), tmp_path)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_layer_does_not_write_over_the_state_that_it_reads(name: str, core: str) -> None:
    for plan in every_plan(LOOPS[name], core):
        play(plan)


@pytest.mark.slow
def test_every_plan_of_a_loop_is_exact(tmp_path: Path) -> None:
    need("gcc")
    chosen = [graph for name, graph in LOOPS.items() if name not in ("conv2d", "depthwise")]  # many plans
    check([plan for graph in chosen for plan in every_plan(graph)], tmp_path)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("optimize", OBJECTIVES)
def test_models_with_states_keep_them(core: str, optimize: str) -> None:
    whole = (graphs.leaky(), graphs.delay_line(), stateful(), *(make() for make in loops.LOOPS))
    for graph in (*whole, *(graph for graph, _ in CASES.values())):
        play(select(graph, core, optimize))


def made_too_early(graph: Graph) -> Iterator[Plan]:
    """Plans whose next content of `past` lies elsewhere, changed: it is made in the memory of the state."""
    early = Place("state", name="past")
    for plan in every_plan(graph):
        root = memory.roots(plan.steps)
        new = root[Buffer(graph.values["moved"], NATURAL)]
        if plan.places[new] != early:
            there = {buffer: early for buffer, home in root.items() if home == new}
            yield replace(plan, places=plan.places | there)


NEEDED = {  # the old content is needed after the new one is begun
    **LOOPS,
    **{name: CASES[name][0] for name in ("read after", "another state takes the old")},
}
IN_PLACE = ("threshold", "shift by its own head")  # no plan of these needs memory of its own


@pytest.mark.parametrize("name", [name for name in NEEDED if name not in IN_PLACE])
def test_a_content_that_is_made_too_early_is_seen(name: str) -> None:
    plans = list(made_too_early(NEEDED[name]))
    assert plans
    for plan in plans:
        with pytest.raises(AssertionError):
            play(plan)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dense, bits", "read after"])
def test_so_does_the_answer(name: str, tmp_path: Path) -> None:
    """The C of a plan that writes over a state that is still read answers otherwise than numpy."""
    need("gcc")
    with pytest.raises(AssertionError):
        check(list(made_too_early(NEEDED[name])), tmp_path)
