"""The reference executor over many steps of a graph with states."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

import edgeternary

LM = Path(__file__).parents[2] / "examples/matmulfree_lm/kjv.et"


def test_a_long_sequence_keeps_its_outputs_alone() -> None:
    graph = edgeternary.load(LM)
    tokens = np.random.default_rng(1).integers(0, 63, (8, 100, 1))
    tracemalloc.start()
    found = edgeternary.run.run(graph, tokens)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    every = sum(4 * int(np.prod(graph.values[op.name].shape)) for op in graph.ops) * tokens.size
    assert peak < every / 4  # all values of all steps would be `every` bytes
    tapped = edgeternary.run.run(graph, tokens[:, :5], taps=True)
    assert set(tapped.taps) == {op.name for op in graph.ops}
    assert_array_equal(tapped.outputs, found.outputs[:, :5])
