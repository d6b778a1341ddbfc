"""What imported int8 models need of the C kernels: two roundings, depthwise int8 weights, sums of tables."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.select import select
from edgeternary.c.tabled import tabled
from edgeternary.ir import Graph
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Add, Requantize, build
from edgeternary.ops.requantize import MAX_SHIFT
from edgeternary.run import run
from tests.c.imported_graphs import depthwise, sum_of_tables, twice
from tests.c.plan_fleet import PlanFleet

CORES = [
    "host",
    pytest.param("cortex-m4", marks=pytest.mark.emulator),
    pytest.param("cortex-m0plus", marks=pytest.mark.emulator),
]


def same(graph: Graph, on: str, count: int = 12, seed: int = 0) -> None:
    data = build.samples(np.random.default_rng(seed), graph.input, count)
    options = {"sanitize": True} if on == "host" else {}
    got = run(graph, data, on=on, options=options).outputs
    np.testing.assert_array_equal(got, run(graph, data).outputs)


@pytest.mark.parametrize("on", CORES)
@pytest.mark.parametrize("reach", [1 << 20, (1 << 31) - 1])
def test_two_roundings(on: str, reach: int) -> None:
    """Small and large shifts, factors of 0, ties of both signs, accumulators up to the ends of int32."""
    rng = np.random.default_rng(reach)
    x = build.value("x", (40, 24), "int32", -reach - (reach == INT32_HI), reach)
    fields = twice(rng, 24, 32, 45 if reach < 1 << 30 else MAX_SHIFT + 1)
    fields["m"][::7] = 1 << 30
    fields["m"][5] = 0
    graph = build.graph(x, Requantize(name="y", inputs=("x",), zero=-5, **fields))
    data = build.samples(rng, x, 6)
    data[2:4] = rng.integers(-(1 << 12), 1 << 12, data[2:4].shape)
    data[4] = rng.integers(-64, 64, data[4].shape) << 7  # ties
    found = run(graph, data, on=on, options={"count": 0})
    np.testing.assert_array_equal(found.outputs, run(graph, data).outputs)


@pytest.mark.parametrize("on", CORES)
def test_depthwise(on: str) -> None:
    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        return match.ops[0].name != "conv" or kernel.name == "depthwise_int"

    plans = [select(graph, on, allow=allow) for graph in depthwise()]
    PlanFleet.of_plans(plans).check(on, **({"sanitize": True} if on == "host" else {}))


@pytest.mark.parametrize("on", CORES)
@pytest.mark.parametrize("rounding", ["tflite_double", "floor", "half_up"])
def test_sum_of_tables_is_one_step(on: str, rounding: str) -> None:
    graph = sum_of_tables(rounding)
    assert [step.kernel.name for step in select(graph, on).calls] == ["lookup", "tabled"]
    same(graph, on)


def test_shared_values_stay() -> None:
    """A side that something else reads, and a side that is read twice, are computed on their own."""
    graph = sum_of_tables("floor")
    assert [op.kind for op in tabled(graph).ops] == ["lookup", "tabled"]
    shown = graph.with_ops(graph.ops, ("a", "y"))
    assert tabled(shown) is shown
    twice_read = graph.with_ops(
        [op if op.name != "sum" else Add(name="sum", inputs=("a", "a")) for op in graph.ops]
    )
    assert tabled(twice_read) is twice_read
    same(twice_read, "host")
