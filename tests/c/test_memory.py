"""The arena: nothing that is alive is written over, and memory is used again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import nets
from edgeternary.bench import modes
from edgeternary.c import memory, placement
from edgeternary.c.placement import Block
from edgeternary.c.select import Budget, Planner, select
from edgeternary.ir import Graph
from tests.c.graphs import branches, cnn, mlp, stateful
from tests.c.played import play
from tests.full import FULL

BLOCK = st.tuples(st.integers(1, 60), st.integers(0, 12), st.integers(0, 5))


@given(st.lists(BLOCK, max_size=24), st.booleans())
def test_placement_never_overlaps(raw: list[tuple[int, int, int]], shrinking: bool) -> None:
    """Blocks of one size, and blocks that become smaller as they live."""
    blocks = []
    for size, first, length in raw:
        sizes = {first + i: 4 * (max(size - 7 * i, 1) if shrinking else size) for i in range(length + 1)}
        blocks.append(Block(sizes))
    total = placement.place(blocks, tries=20)
    for a, b in itertools.combinations(blocks, 2):
        for step in a.sizes.keys() & b.sizes.keys():
            assert a.offset + a.sizes[step] <= b.offset or b.offset + b.sizes[step] <= a.offset
    assert placement.lower_bound(blocks) <= total <= sum(b.size for b in blocks)
    assert all(b.offset % 4 == 0 for b in blocks)


def test_a_block_that_shrank_makes_room() -> None:
    """A pool in place of 100 bytes leaves 25; the 75 after it are free for what comes next."""
    pooled, following = Block({0: 100, 1: 100, 2: 25}), Block({2: 75})
    assert placement.place([pooled, following]) == 100 == placement.lower_bound([pooled, following])


NETS = (("ds-cnn", "cortex-m0plus"), ("resnet-8", "cortex-m4"), ("ds-cnn", "cortex-m4"))


@pytest.mark.parametrize(
    ("mode", "name", "target"),
    [(mode, *NETS[i % len(NETS) if FULL else min(i, 2)]) for i, mode in enumerate(modes.SUITE)],
    ids=str,
)
def test_arenas_are_within_five_percent_of_the_live_bytes(mode: modes.Mode, name: str, target: str) -> None:
    graph = nets.NETS[name](mode)
    planner = Planner(graph, target)
    for optimize in ("cycles", "ram"):
        plan = planner.choose(optimize, Budget())
        assert (
            memory.live_bytes(graph, plan.steps) <= plan.arena <= 1.05 * memory.live_bytes(graph, plan.steps)
        )


@pytest.mark.parametrize(
    "graph",
    [
        cnn("ternary", "uint2", 12, (16, 32, 40)),
        branches("ternary"),
        mlp("ternary", "bipolar", (50, 40, 30, 7)),
        stateful(),
    ],
    ids=lambda graph: graph.name,
)
@pytest.mark.parametrize("kernels", ["all", "natural"])
def test_no_step_finds_its_input_overwritten(graph: Graph, kernels: str) -> None:
    plan = select(graph, allow=lambda m, k, o: kernels == "all" or "planes" not in k.name)
    play(plan)


def test_the_shipped_shape_fits_a_small_part() -> None:
    """28 x 28 pixels, 16, 32 and 64 channels of 2 bits: no int32 map, pools in place."""
    graph = cnn("ternary", "uint2", 28, (16, 32, 64))
    assert select(graph, optimize="ram").arena <= 10_000
    plan = select(
        graph, allow=lambda m, kernel, o: not kernel.name.endswith(("_lanes", "_slices", "_stream"))
    )
    names = [step.kernel.name for step in plan.calls]
    assert names[:3] == ["conv2d_baked", "max_pool_planes", "conv2d_planes"]
    pool = plan.calls[1]
    assert plan.places[pool.out] == plan.places[pool.ins[0]]


def test_a_reshape_costs_nothing() -> None:
    plan = select(cnn("ternary", "uint2", 12, (16, 32, 40)))
    reshape = next(step for step in plan.steps if step.kernel.name == "reshape")
    assert reshape.offer.alias and plan.places[reshape.out] == plan.places[reshape.ins[0]]
