"""Selection is optimal, and says which layer it cannot serve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgeternary.c.cores import CORES, core
from edgeternary.c.layouts import NATURAL
from edgeternary.c.plan import Buffer
from edgeternary.c.select import Path, Price, _finish, _offers, _take, select
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import build
from tests.c.graphs import Net, branches, cnn, mlp


def every_path(
    graph: Graph, index: int, available: frozenset[Buffer], path: Path, price: Price
) -> Iterator[Path]:
    """All ways to run the ops from `index` on, one by one."""
    if index == len(graph.ops):
        yield _finish(graph, available, path, core("cortex-m4"), price)
        return
    if any(buffer.value.name == graph.ops[index].name for buffer in available):
        yield from every_path(graph, index + 1, available, path, price)
        return
    for match, kernel, offer in _offers(graph, index, core("cortex-m4"), available):
        for reached, longer in _take(available, path, match, kernel, offer, price):
            yield from every_path(graph, index + 1, reached, longer, price)


@pytest.mark.parametrize("flash", [0.0, 0.5, 20.0])
@pytest.mark.parametrize(
    "graph",
    [
        mlp("ternary", "bipolar", (40, 20, 5)),
        mlp("bipolar", "ternary", (64, 8, 8, 3), "uint4"),
        branches("uint2"),
    ],
    ids=lambda graph: graph.name,
)
def test_selection_equals_brute_force(graph: Graph, flash: float) -> None:
    price = Price(flash)
    best = min(
        path.price
        for path in every_path(graph, 0, frozenset([Buffer(graph.input, NATURAL)]), Path(0.0), price)
    )
    chosen = sum(price.of(step.offer.cost) for step in select(graph, price=price).steps)
    assert chosen == pytest.approx(best)


def test_a_dear_byte_of_flash_changes_the_choice() -> None:
    graph = cnn("ternary", "uint2", 8, (16, 16))
    fast, small = select(graph), select(graph, price=Price(flash=1e6))
    assert fast.calls[0].kernel.name == "conv2d_baked"
    assert small.calls[0].kernel.name == "conv2d"


@pytest.mark.parametrize("name", sorted(CORES))
def test_the_int32_map_is_never_stored(name: str) -> None:
    plan = select(cnn("ternary", "uint2", 12, (16, 32)), name)
    assert all(step.out.value.type.name != "int32" for step in plan.calls[:-1])


def test_taps_name_values_and_layouts_in_order() -> None:
    plan = select(cnn("ternary", "uint2", 8, (16, 32)))
    assert [tap.value.name for tap in plan.taps] == ["act0", "pool0", "act1", "pool1", "fc"]
    assert [tap.layout.name for tap in plan.taps][-1] == "natural"
    rows = plan.summary()
    assert [row["name"] for row in rows] == ["conv0", "pool0", "conv1", "pool1", "fc"]
    assert rows[2]["table_bytes"] >= 32 * 5 * 8


def test_errors() -> None:
    graph = Net("m", build.value("x", (4,), "int8"), np.random.default_rng(0)).dense(3, "int4", "fc")
    with pytest.raises(EdgeTernaryError, match="unknown core 'z80'") as caught:
        select(graph.graph(), "z80")
    assert caught.value.code == USAGE
    with pytest.raises(EdgeTernaryError, match="'fc'"):
        select(graph.graph(), allow=lambda *_: False)
