"""Counts of a flattened map by position: the same numbers, where groups are equal and where a bit differs."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.ir import Graph, Op
from edgeternary.ops import Argmax, Compare, GroupCount, Lut, Reshape, build
from edgeternary.ops.lut import random_tables
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import inputs
from tests.registry.test_hdl import agrees

need("amaranth")

from edgeternary.hdl.passes.by_position import PLACE, PixelCount, Total, count_by_position  # noqa: E402
from tests.hdl.test_upsample import measured  # noqa: E402

FAULTS = ("none", "another group", "another table", "another channel", "one bit less")


def network(seed: int, fault: str = "none", constants: bool = True) -> Graph:
    """Tables over windows without pads, counted in groups; a channel may count in several of them, and twice.

    fault  how one position differs from the others
    """
    rng = np.random.default_rng(seed)
    size = rng.integers(2, 7, 2)
    x = build.value("x", (*size.tolist(), int(rng.integers(1, 3))), "uint4")
    bits = Compare(
        name="bits", inputs=("x",), source=rng.integers(0, x.channels, 3).astype(np.int32),
        t=rng.integers(1, 16, 3).astype(np.int32),
    )  # fmt: skip
    kernel, stride = tuple(int(rng.integers(1, n)) for n in size), tuple(rng.integers(1, 3, 2).tolist())
    value = build.graph(x, bits).output_value
    window = random_tables(
        rng, value, int(rng.integers(2, 9)), 3, name="window", kernel=kernel, stride=stride
    )
    ops: list[Op] = [bits, window]
    height, width, channels = build.graph(x, *ops).output_value.shape
    places = height * width
    ops.append(Reshape(name="flat", inputs=("window",), shape=(places * channels,)))
    count, groups = int(rng.integers(2, 12)), int(rng.integers(1, 5))
    group = np.sort(rng.integers(0, groups, count))
    pins = rng.integers(0, channels, (1, count)) + channels * np.arange(places)[:, None]
    entries = np.tile(np.array([[0, 1], [1, 0]], np.int8)[rng.integers(0, 2, count)], (places, 1, 1))
    if constants:
        entries[rng.integers(places), rng.integers(count)] = rng.integers(0, 2)
        entries[:, 0] = 1
    at, k = int(rng.integers(places)), count - 1
    groups_of = np.tile(group, (places, 1))
    entries[:, k] = [0, 1]
    if fault == "another group":
        groups_of[at, k] = groups
        groups += 1
    elif fault == "another table":
        entries[at, k] = [1, 0]
    elif fault == "another channel":
        pins[at, k] += 1 if pins[at, k] % channels == 0 else -1
    elif fault == "one bit less":
        entries[at, k] = 0
    order = np.lexsort((rng.random(places * count), groups_of.reshape(-1)))
    ends = np.cumsum(np.bincount(groups_of.reshape(-1), minlength=groups)).astype(np.int32)
    ops.append(Lut(
        name="order", inputs=("flat",), wiring=pins.reshape(-1, 1)[order].astype(np.int32),
        tables=entries.reshape(-1, 2)[order],
    ))  # fmt: skip
    bias = rng.integers(-9, 10, groups).astype(np.int32)
    ops.append(GroupCount(name="counts", inputs=("order",), ends=ends, bias=bias))
    ops += [Argmax(name="best", inputs=("counts",))] * int(rng.integers(2))
    return build.graph(x, *ops, name=f"positions{seed}")


def places(graph: Graph) -> int:
    return int(np.prod(graph.values["window"].shape[:2]))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_function_stays(fault: str) -> None:
    for seed in range(40):
        graph = network(seed, fault, constants=fault == "none" and seed % 2 == 0)
        found = count_by_position(graph)
        codes = inputs(graph, 5)
        np.testing.assert_array_equal(run(found, codes).outputs, run(graph, codes).outputs)
        kinds = [type(op) for op in found.ops]
        if fault != "none":
            assert places(graph) == 1 or found is graph
        if Total in kinds:
            assert PixelCount in kinds and f"counts{PLACE}" in found.values and "flat" not in found.values
            assert found.values["counts"] == graph.values["counts"]


def test_most_networks_without_a_fault_are_counted_by_position() -> None:
    graphs = [network(seed, constants=False) for seed in range(20)]
    assert all(count_by_position(graph) is not graph for graph in graphs if places(graph) > 1)
    assert sum(places(graph) > 1 for graph in graphs) > 10


def test_what_others_read_stays_a_vector() -> None:
    graph = next(g for g in map(network, range(1, 40, 2)) if count_by_position(g) is not g)
    shown = graph.with_ops(graph.ops, "order")
    assert count_by_position(shown) is shown


def counted() -> list[Graph]:
    """Networks that are counted by position, the smallest first."""
    graphs = [network(k, constants=k % 2 == 0) for k in range(40)]
    graphs = [graph for graph in graphs if count_by_position(graph) is not graph]
    return sorted(graphs, key=lambda graph: graph.input.size)


@pytest.mark.parametrize("seed", range(4))
def test_the_hardware_gives_the_same_numbers(seed: int) -> None:
    agrees(counted()[seed], stalls=seed % 3 or None, pace=3, family=("", "ecp5")[seed % 2])


@pytest.mark.parametrize("seed", (4, 9))
def test_cycles_are_predicted(seed: int) -> None:
    cycles, latency, *predicted = measured(counted()[seed], 3)
    assert [cycles, latency] == predicted
