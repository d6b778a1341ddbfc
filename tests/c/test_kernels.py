"""Every kernel in every layout that it offers, bit by bit against the numpy reference, under sanitizers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.bench.layers import graph as drawn
from edgeternary.bench.layers import parse
from edgeternary.bench.modes import mode
from edgeternary.c.kernels import kernels
from edgeternary.c.layouts import Planes
from edgeternary.c.plan import Plan
from edgeternary.c.tabled import tabled
from edgeternary.ir import REGISTRY
from tests.c.graphs import FOLLOWS, branches, cnn, followed, stateful
from tests.c.harness import check, every_plan
from tests.c.imported_graphs import depthwise, sum_of_tables
from tests.c.lanes_nets import nets
from tests.c.table_nets import image_net
from tests.full import FULL
from tests.need import need

OTHERS = ("cortex-m0plus", "cortex-m55")  # cores with kernels of their own
NETWORKS = (("ternary", "uint2"), ("bipolar", "bipolar"), ("ternary", "int3"), ("bipolar", "ternary"))


@pytest.fixture(autouse=True)
def _gcc() -> None:
    need("gcc")


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_every_offer_for_an_op(kind: str, tmp_path: Path) -> None:
    graphs = REGISTRY[kind].examples(np.random.default_rng(7))
    check([plan for graph in graphs for plan in every_plan(graph)], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["conv2d", "dense"])
@pytest.mark.parametrize("turn", range(2))
def test_what_follows_the_accumulators(kind: str, turn: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(turn)
    plans: list[Plan] = []
    for i, graph in enumerate(REGISTRY[kind].examples(rng)):
        follow = FOLLOWS[(4 * turn + 3 * i) % len(FOLLOWS)]
        some = slice(None) if FULL else slice(i % 2, None, 2)  # of its offers
        plans += every_plan(followed(graph, follow, rng), some=some)
    check(plans, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(4))
def test_whole_networks(turn: int, tmp_path: Path) -> None:
    """A 48th of the offers, others for each pair of types; test_every_offer_for_an_op takes all."""
    weights, act = NETWORKS[turn]
    graphs = [cnn(weights, act, 9, (5, 17, 33)), cnn(weights, act, 8, (16, 32)), branches(act)]
    some = slice(turn, None, (6 if FULL else 12) * len(NETWORKS))
    check([plan for graph in graphs for plan in every_plan(graph, some=some)], tmp_path)


def test_states(tmp_path: Path) -> None:
    check(list(every_plan(stateful())), tmp_path)


@pytest.mark.slow
def test_every_kernel_is_reached() -> None:
    """No kernel is left out here or in test_products.py; planes reach a dense layer in groups."""
    graphs = [g for op in REGISTRY.values() for g in op.examples(np.random.default_rng(7))]
    graphs += [next(depthwise()), tabled(sum_of_tables("floor"))]
    graphs += [image_net((6, 20, 1), (1, 3), (0, 0, 0, 0))]
    plans = [plan for graph in graphs for plan in every_plan(graph)]
    for graph in (cnn("ternary", "uint2", 9, (5, 17, 33)), branches("uint2"), nets()[0]):
        plans += every_plan(graph, some=slice(1, None, 2))
    layers = [g for g in graphs if g.ops[0].kind in ("conv2d", "dense")]
    layers += [drawn(parse(text), mode("int4", "int8")) for text in ("conv2d:4x5x3-4", "depthwise:4x5x16")]
    plans += [plan for core in OTHERS for graph in layers for plan in every_plan(graph, core)]
    steps = [step for plan in plans for step in plan.steps]
    assert {step.kernel.name for step in steps} == {kernel.name for kernel in kernels()}
    layouts = [layout for step in steps if step.kernel.name == "dense_planes" for layout in step.offer.ins]
    assert any(isinstance(layout, Planes) and layout.group == 33 for layout in layouts)
