"""fold_dead_channels: constant and unread channels leave, the answers stay; bounds hold for every channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from edgeternary.c.select import select
from edgeternary.ir import Graph, State
from edgeternary.ops import Add, Concat, Conv2d, Dense, MaxPool, Reshape, Threshold, build
from edgeternary.passes.bounds import bounds
from edgeternary.passes.dead_channels import fold_dead_channels, lost_channels
from edgeternary.run import run
from tests.c.graphs import Net
from tests.registry.edge_shapes import edge_graph
from tests.registry.graphs import STATEFUL, WHOLE, inputs
from tests.registry.random_graphs import network

NETWORKS = 60


def equal(graph: Graph, folded: Graph) -> None:
    codes = inputs(graph, 8)
    np.testing.assert_array_equal(run(folded, codes).outputs, run(graph, codes).outputs)
    assert {n: v.type for n, v in folded.values.items()} == {n: graph.values[n].type for n in folded.values}


def channels(graph: Graph) -> dict[str, int]:
    return {op.name: graph.values[op.name].channels for op in graph.ops}


@pytest.mark.parametrize("draw", [edge_graph, network])
def test_drawn_networks_keep_their_answers(draw: object) -> None:
    graphs = [draw(number) for number in range(NETWORKS)]  # type: ignore[operator]
    folded = [fold_dead_channels(graph) for graph in graphs]
    for graph, found in zip(graphs, folded, strict=True):
        equal(graph, found)
    assert sum(found is not graph for graph, found in zip(graphs, folded, strict=True)) > NETWORKS // 5


@pytest.mark.parametrize("draw", [edge_graph, network])
def test_no_channel_leaves_its_bounds(draw: object) -> None:
    for number in range(NETWORKS):
        graph = draw(number)  # type: ignore[operator]
        found, taps = bounds(graph), run(graph, inputs(graph, 8), taps=True).taps
        for name, tap in taps.items():
            bound, value = found[name], graph.values[name]
            seen = tap.reshape(-1, value.channels)
            assert (seen >= bound.lo).all() and (seen <= bound.hi).all(), (graph.name, name)
            assert bound.lo.min() >= value.lo and bound.hi.max() <= value.hi, (graph.name, name)


def test_whole_models_with_and_without_states() -> None:
    for make in (*WHOLE, *STATEFUL):
        equal(make(), fold_dead_channels(make()))


def steps(count: int, name: str, source: str, base: np.ndarray, step: np.ndarray) -> Threshold:
    """Codes 0 to 3 of sums near 0."""
    t = np.tile(np.array([-1, 0, 1], np.int32), (count, 1))
    return Threshold(name=name, inputs=(source,), t=t, base=base, step=step, type="uint2")


def pruned(pad_value: int, constant: int = 0, pad: int = 1) -> Graph:
    """Two convolutions; output 1 of the first has no weight, and its code is always `constant`."""
    rng = np.random.default_rng(4)
    net = Net("pruned", build.value("x", (5, 4, 3), "uint2"), rng)
    net.conv(6, "ternary", "first")
    (first,) = net.ops
    assert isinstance(first, Conv2d)
    weights, base, step = first.weights.copy(), np.zeros(6, np.int32), np.ones(6, np.int32)
    weights[1], base[1], step[1] = 0, constant, 0
    ops = [msgspec.structs.replace(first, weights=weights), steps(6, "act", "first", base, step)]
    second = Conv2d(
        name="second", inputs=("act",), weights=build.codes(rng, (4, 3, 3, 6), "ternary"),
        weight_type="ternary", bias=np.zeros(4, np.int32), pad=(pad,) * 4, pad_value=pad_value,
    )  # fmt: skip
    return build.graph(net.x, *ops, second)


@pytest.mark.parametrize(("pad_value", "constant", "pad"), [(0, 0, 1), (2, 2, 1), (3, 1, 0)])
def test_a_channel_without_a_weight_leaves(pad_value: int, constant: int, pad: int) -> None:
    graph = pruned(pad_value, constant, pad)
    folded = fold_dead_channels(graph)
    equal(graph, folded)
    assert channels(folded) == {"first": 5, "act": 5, "second": 4}
    assert folded.meta.info["dead_channels"] == '{"first": "1 of 6", "act": "1 of 6"}'
    for mask in lost_channels(folded).values():
        np.testing.assert_array_equal(np.flatnonzero(mask), [1])
    for core in ("cortex-m0plus", "cortex-m4"):
        assert select(folded, core).cycles < select(graph, core).cycles


def test_it_stays_where_the_pad_is_another_code() -> None:
    graph = pruned(pad_value=0, constant=3)
    assert fold_dead_channels(graph) is graph


def test_a_fault_in_the_condition_on_pads_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeternary.passes import dead_channels

    right = dead_channels.AGREE[Conv2d]

    def without_pads(op: Any, *known: Any) -> None:
        right(msgspec.structs.replace(op, pad=(0, 0, 0, 0)), *known)

    monkeypatch.setitem(dead_channels.AGREE, Conv2d, without_pads)
    graph = pruned(pad_value=0, constant=3)
    with pytest.raises(AssertionError):
        equal(graph, fold_dead_channels(graph))


def test_a_layer_of_zeros_keeps_one_channel() -> None:
    graph = pruned(0, pad=0)
    first = graph.ops[0]
    assert isinstance(first, Conv2d)
    zeros = msgspec.structs.replace(first, weights=0 * first.weights)
    zeros = msgspec.structs.replace(zeros, bias=np.arange(-2, 4, dtype=np.int32))
    empty = build.graph(graph.input, zeros, *graph.ops[1:])
    folded = fold_dead_channels(empty)
    equal(empty, folded)
    assert channels(folded) == {"first": 1, "act": 1, "second": 4}


def test_what_nobody_reads_leaves_though_it_is_not_constant() -> None:
    """Through a pool and a flattening, into columns of zeros."""
    net = Net("unread", build.value("x", (4, 4, 2), "uint2"), np.random.default_rng(1))
    net.conv(5, "ternary", "conv").threshold("uint2", "act").pool("pool").flatten().dense(3, "ternary", "fc")
    fc = net.ops[-1]
    assert isinstance(fc, Dense)
    weights = fc.weights.reshape(3, 4, 5).copy()
    weights[..., 2] = 0
    graph = build.graph(net.x, *net.ops[:-1], msgspec.structs.replace(fc, weights=weights.reshape(3, 20)))
    folded = fold_dead_channels(graph)
    equal(graph, folded)
    assert channels(folded)["conv"] < 5 and channels(folded)["flat"] == 4 * channels(folded)["pool"]
    lost = lost_channels(folded)
    np.testing.assert_array_equal(lost["flat"], np.tile(lost["pool"], 4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "1",
        '{"first": "9 of 6"}',
        '{"first": "1 of 0"}',
        '{"first": 1}',
        '{"no": "1 of 6"}',
        '{"first": "1 of 9"}',
    ],
)
def test_what_a_file_says_of_lost_channels_is_checked(text: str) -> None:
    """Files are untrusted input; a remark that does not fit says nothing."""
    folded = fold_dead_channels(pruned(0))
    meta = msgspec.structs.replace(folded.meta, info={"dead_channels": text})
    assert lost_channels(replace(folded, meta=meta)) == {}


def test_both_sides_of_a_sum_and_of_a_join_lose_the_same() -> None:
    """The second branch needs no channel that the sum loses; the join keeps what either side needs."""
    rng = np.random.default_rng(2)
    x = build.value("x", (3, 3, 2), "uint2")
    ops: list[object] = []
    for name in ("a", "b"):
        conv = Conv2d(
            name=f"{name}.conv", inputs=("x",), weights=build.codes(rng, (4, 1, 1, 2), "bipolar"),
            weight_type="ternary", bias=np.zeros(4, np.int32),
        )  # fmt: skip
        ops += [conv, steps(4, name, conv.name, np.zeros(4, np.int32), np.ones(4, np.int32))]
    total, both = Add(name="sum", inputs=("a", "b")), Concat(name="both", inputs=("sum", "a"))
    flat = Reshape(name="flat", inputs=("both",), shape=(72,))
    weights = build.codes(rng, (3, 72), "bipolar").reshape(3, 9, 8)
    weights[..., [1, 3, 5, 6]] = 0  # of the sum 1 and 3, of a 1 and 2
    fc = Dense(
        name="fc", inputs=("flat",), weights=weights.reshape(3, 72), weight_type="ternary",
        bias=np.zeros(3, np.int32),
    )  # fmt: skip
    graph = build.graph(x, *ops, total, both, flat, fc)  # type: ignore[arg-type]
    folded = fold_dead_channels(graph)
    equal(graph, folded)
    assert channels(folded)["a"] == channels(folded)["b"] == channels(folded)["sum"] == 3


def test_depthwise_layers_lose_whole_groups() -> None:
    rng = np.random.default_rng(6)
    net = Net("depthwise", build.value("x", (4, 4, 3), "uint2"), rng)
    net.conv(6, "ternary", "conv").threshold("uint2", "act")
    net.add(Conv2d(
        name="each", inputs=("act",), weights=build.codes(rng, (12, 3, 3, 1), "ternary"), groups=6,
        weight_type="ternary", bias=np.zeros(12, np.int32), pad=(1, 1, 1, 1),
    ))  # fmt: skip
    net.threshold("uint2", "after").flatten().dense(3, "ternary", "fc")
    fc = net.ops[-1]
    assert isinstance(fc, Dense)
    weights = fc.weights.reshape(3, 16, 12).copy()
    weights[..., [4, 5, 7]] = 0  # all of group 2, half of group 3
    graph = build.graph(net.x, *net.ops[:-1], msgspec.structs.replace(fc, weights=weights.reshape(3, -1)))
    folded = fold_dead_channels(graph)
    equal(graph, folded)
    each = folded.op("each")
    assert isinstance(each, Conv2d) and each.groups < 6 and len(each.weights) == 2 * each.groups
    assert channels(folded)["conv"] == each.groups


def test_states_and_outputs_keep_their_shape() -> None:
    """A state that is constant stays: the caller sees it, and it is the input of the next step."""
    graph = pruned(0)
    act = graph.values["act"]
    held = replace(act, name="held")
    total = Add(name="total", inputs=("held", "act"))
    back = build.random_thresholds(
        np.random.default_rng(3), total.infer([held, act]), "uint2", "back", "total"
    )
    states = (State(held, np.zeros(held.shape, np.int32), "back"),)
    stateful = Graph("stateful", graph.input, (*graph.ops[:2], total, back), "total", states)
    assert fold_dead_channels(stateful) is stateful
    only_pool = MaxPool(
        name="pool", inputs=("act",), kernel=(2, 2), stride=(1, 1), minimum=np.zeros(6, np.uint8)
    )
    shown = build.graph(graph.input, *graph.ops[:2], only_pool)
    assert fold_dead_channels(shown) is shown
