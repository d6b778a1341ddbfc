"""Spiking neurons in hardware beside their formula, for every potential and every input of a range."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.ops import build
from edgeternary.ops.neuron import HI, LO, Cells, named, neurons
from edgeternary.run import run
from tests.full import FULL
from tests.need import need

POTENTIALS = np.arange(-32, 32)  # a cell begins at each
SUMS = np.arange(-8, 8)
THETA = 11


def layer(shift: int, fraction: int, subtract: bool) -> Graph:
    """Sums of 4 bits -> spikes."""
    x = build.value("x", POTENTIALS.shape, "int4")
    theta, bias = np.full(POTENTIALS.shape, THETA), np.full(POTENTIALS.shape, 3)
    built = neurons(named("n"), x, Cells(theta, bias, POTENTIALS, shift, fraction, subtract))
    return Graph("neurons", x, built.ops, built.output, (built.state,))


def formula(v: np.ndarray, x: np.ndarray, graph: tuple[int, int, bool]) -> tuple[np.ndarray, np.ndarray]:
    """(spikes, next potentials), as docs/spiking.md has them."""
    shift, fraction, subtract = graph
    i = np.clip((x << fraction) + 3, LO, HI)
    u = np.clip((v - (v >> shift) if shift else v) + i, LO, HI)
    spikes = (u >= THETA).astype(np.int32)
    return spikes, u - THETA * spikes if subtract else u * (1 - spikes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shift", "fraction", "subtract"),
    # with 12 the drive is clamped
    [(1, 1, False), (2, 12, True), *([(0, 0, True), (3, 1, True)] * FULL)],
)
def test_every_potential_meets_every_sum(shift: int, fraction: int, subtract: bool) -> None:
    need("amaranth")
    graph = layer(shift, fraction, subtract)
    x = np.broadcast_to(np.repeat(SUMS, 2).reshape(-1, 2, 1), (len(SUMS), 2, len(POTENTIALS)))
    found = run(graph, x, on="hdl", taps=True)
    after = graph.states[0].next
    v = np.broadcast_to(POTENTIALS, (len(SUMS), len(POTENTIALS)))
    for step in range(2):
        spikes, v = formula(v, x[:, step], (shift, fraction, subtract))
        np.testing.assert_array_equal(found.outputs[:, step], spikes)
        np.testing.assert_array_equal(found.taps[after][:, step], v)
