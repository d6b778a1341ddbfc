"""reduce_tables and fold_dead_channels on table networks: what has no effect leaves, the answers stay."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.ops import Compare, GroupCount, Lut, build
from edgeternary.passes import optimize
from edgeternary.passes.bounds import bounds
from edgeternary.passes.reduce_tables import reduce_tables
from edgeternary.run import run
from tests.registry.graphs import inputs
from tests.registry.table_networks import table_network

NETWORKS = 150


def small(t: list[int], pins: list[list[int]], tables: list[list[int]], source: list[int]) -> Graph:
    """Comparisons of one or two numbers, tables of them, one count."""
    x = build.value("x", (max(source) + 1,), "uint4")
    bits = Compare(
        name="bits", inputs=("x",), source=np.array(source, np.int32), t=np.array(t, np.int32), type="binary"
    )
    lut = Lut(name="lut", inputs=("bits",), wiring=np.array(pins, np.int32), tables=np.array(tables, np.int8))
    ends = np.array([len(tables)], np.int32)
    return build.graph(
        x, bits, lut, GroupCount(name="y", inputs=("lut",), ends=ends, bias=np.zeros(1, np.int32))
    )


def layers(graph: Graph) -> tuple[Compare, Lut, GroupCount]:
    bits, lut, count = graph.ops
    assert isinstance(bits, Compare) and isinstance(lut, Lut) and isinstance(count, GroupCount)
    return bits, lut, count


def same(graph: Graph, other: Graph) -> None:
    x = graph.input
    codes = inputs(graph, 40)
    if x.size <= 2 and x.type.name == "uint4":  # every one
        grid = np.meshgrid(*[np.arange(16)] * x.size, indexing="ij")
        codes = np.stack([g.reshape(-1) for g in grid], axis=1).astype(np.int32)
    np.testing.assert_array_equal(run(other, codes).outputs, run(graph, codes).outputs)


def test_drawn_networks_keep_their_answers() -> None:
    smaller = 0
    for seed in range(NETWORKS):
        graph = table_network(seed)
        made = optimize(graph)
        same(graph, reduce_tables(graph))
        same(graph, made)
        again = optimize(made)
        same(graph, again)
        smaller += sum(op.wiring.size for op in made.ops if isinstance(op, Lut)) < sum(
            op.wiring.size for op in graph.ops if isinstance(op, Lut)
        )
    assert smaller > NETWORKS // 2


def test_no_channel_leaves_its_bounds() -> None:
    for seed in range(NETWORKS):
        graph = table_network(seed)
        found, taps = bounds(graph), run(graph, inputs(graph, 30), taps=True).taps
        for name, tap in taps.items():
            seen = tap.reshape(-1, graph.values[name].channels)
            assert (seen >= found[name].lo).all() and (seen <= found[name].hi).all(), (seed, name)


def test_ordered_bits_leave_half_of_the_entries() -> None:
    """x >= 3 and x >= 9 give three addresses of four: a table that differs at the fourth alone is one pin."""
    graph = small([3, 9], [[0, 1]], [[0, 1, 0, 1]], [0, 0])  # bit 0 without bit 1, and (1, 1)
    for entry in (0, 1):  # of address 2, which says x >= 9 but not x >= 3
        tables = np.array([[0, 1, entry, 1]], np.int8)
        bits, lut, count = layers(graph)
        odd = replace(graph, ops=(bits, msgspec.structs.replace(lut, tables=tables), count))
        _, reduced, _ = layers(optimize(odd))
        assert reduced.wiring.tolist() == [[0]] and reduced.tables.tolist() == [[0, 1]]
        same(odd, optimize(odd))


def test_numbers_that_differ_are_not_ordered() -> None:
    graph = small([3, 9], [[0, 1]], [[0, 1, 0, 0]], [0, 1])
    _, lut, _ = layers(optimize(graph))
    assert lut.wiring.tolist() == [[0, 1]]
    same(graph, optimize(graph))


def test_constants_duplicates_and_unread_bits_leave() -> None:
    # pin 2 reads an equal comparison, pin 3 one that always holds; comparison 4 is read by nobody
    tables = [[0, 1, 1, 0] * 4, [1] * 16, [0] * 16, [0, 1] * 8]
    graph = small(
        [5, 7, 5, 0, 8], [[0, 1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 0], [2, 0, 1, 3]], tables, [0, 1, 0, 1, 0]
    )
    bits, lut, count = layers(optimize(graph))
    assert sorted(zip(bits.source.tolist(), bits.t.tolist())) == [(0, 5), (1, 7)]
    assert lut.wiring.tolist() == [[0, 1], [0, -1]]  # the constant tables are in the bias now
    assert count.ends.tolist() == [2] and count.bias.tolist() == [1]
    same(graph, optimize(graph))


def test_equal_tables_of_a_hidden_layer_are_read_once() -> None:
    x = build.value("x", (4,), "binary")
    first = Lut(
        name="a",
        inputs=("x",),
        wiring=np.array([[0, 1], [1, 0], [2, 3]], np.int32),
        tables=np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 1, 0]], np.int8),
    )
    second = Lut(
        name="b",
        inputs=("a",),
        wiring=np.array([[0, 1, 2]], np.int32),
        tables=np.array([[0, 0, 0, 1, 1, 1, 1, 1]], np.int8),  # (pin 0 and pin 1) or pin 2
    )
    graph = build.graph(x, first, second)
    made = optimize(graph)
    assert len(made.ops[0].wiring) == 2 and made.ops[1].wiring.shape == (1, 2)  # type: ignore[attr-defined]
    codes = np.array([[i >> k & 1 for k in range(4)] for i in range(16)], np.int32)
    np.testing.assert_array_equal(run(made, codes).outputs, run(graph, codes).outputs)


@pytest.mark.parametrize("pins", range(1, 7))
def test_a_table_of_every_size_that_ignores_a_pin(pins: int) -> None:
    rng = np.random.default_rng(pins)
    x = build.value("x", (pins,), "bipolar")
    ignored = int(rng.integers(pins))
    table = rng.integers(0, 2, 2**pins)
    address = np.arange(2**pins)
    table = table[address & ~(1 << ignored)]
    lut = Lut(
        name="y", inputs=("x",), wiring=rng.permutation(pins).astype(np.int32)[None],
        tables=np.where(table, 1, -1).astype(np.int8)[None], type="bipolar",
    )  # fmt: skip
    graph = build.graph(x, lut)
    made = reduce_tables(graph)
    codes = np.where(address[:, None] >> np.arange(pins) & 1, 1, -1).astype(np.int32)
    np.testing.assert_array_equal(run(made, codes).outputs, run(graph, codes).outputs)
    if not np.all(table == table[0]):
        assert lut.wiring[0, ignored] not in made.ops[0].wiring  # type: ignore[attr-defined]
