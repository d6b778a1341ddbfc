"""Table networks as hardware: drawn ones, folded and as wires, and what their counters are made of."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.hdl.wired import why_not
from edgeternary.passes import optimize
from edgeternary.run import run
from edgeternary_hw import Circuit
from edgeternary_hw.counters import counted
from edgeternary_hw.fabric import FABRICS
from tests.need import need
from tests.registry.graphs import inputs
from tests.registry.table_networks import table_network
from tests.registry.test_hdl import agrees


@pytest.mark.parametrize("seed", range(8))
def test_drawn_networks(seed: int) -> None:
    need("amaranth")
    graph = table_network(seed, argmax=bool(seed % 2))
    agrees(graph, stalls=seed, pace=3)
    agrees(optimize(graph), stalls=None, family="ecp5")


@pytest.mark.parametrize("options", [{"latency": 1000}, {"latency": 1000, "embedded": True}])
def test_drawn_networks_as_wires(options: dict[str, object]) -> None:
    """With the pins of a small part comparisons are made as pixels come."""
    need("amaranth")
    graphs = [graph for graph in map(table_network, range(40)) if not why_not(graph)]
    assert len(graphs) > 5
    for seed, graph in enumerate(graphs[:6]):
        codes = inputs(graph, 9)
        found = run(graph, codes, on="hdl:up5k", options={**options, "stalls": seed})
        np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)


@pytest.mark.parametrize("fabric", FABRICS)
def test_counters_count(fabric: str) -> None:
    rng = np.random.default_rng(5)
    for size in (1, 2, 3, 4, 6, 7, 12, 31, 33, 64, 100):
        circuit = Circuit()
        bits = [circuit.input(k, 1) for k in range(size)]
        root = counted(circuit, bits, FABRICS[fabric])
        drawn = rng.integers(0, 2, (8, size)) | (np.arange(8)[:, None] == 0)
        for row in drawn.tolist():
            assert value(circuit, root, row) == sum(row)


def value(circuit: Circuit, root: int, inputs: list[int]) -> int:
    """The number of a node that counters are made of."""
    found: dict[int, int] = {}
    for n in circuit.live([root]):
        node = circuit.nodes[n]
        args = [found[a] for a in node.args]
        if node.kind == "input":
            found[n] = inputs[node.data[0]]
        elif node.kind == "const":
            found[n] = node.lo
        elif node.kind == "table":
            found[n] = node.data[0] >> sum(bit << k for k, bit in enumerate(args)) & 1
        elif node.kind == "bit":
            found[n] = args[0] >> node.data[0] & 1
        elif node.kind == "word":
            found[n] = sum(bit << k for k, bit in enumerate(args))
        else:
            assert node.kind == "add" and not node.data[2]
            found[n] = (args[0] << node.data[0]) + (args[1] << node.data[1]) + sum(args[2:])
        assert node.lo <= found[n] <= node.hi
    return found[root]
