"""What the prover takes an op to mean is what the op computes, number by number."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.ir import Graph, Op
from edgeternary.ir.op import REGISTRY
from edgeternary.ops import build
from edgeternary.prove.meaning import Largest, Local, Sum
from edgeternary.prove.rules import RULES, meaning

SAMPLES = 3


def answer(graph: Graph, op: Op, index: int, values: dict[str, np.ndarray]) -> np.ndarray:
    """The number at a flat index by its meaning, out of the values of the layers before."""
    said = meaning(graph, op, index)
    assert said is not None
    keys = list(said.factors) if isinstance(said, Sum) else said.keys
    columns = [values[name][:, at].astype(np.int64) for name, at in keys]
    if isinstance(said, Sum):
        parts = [said.column(key, column) for key, column in zip(keys, columns, strict=True)]
        return np.broadcast_to(said.constant + sum(parts), (SAMPLES,))
    if isinstance(said, Largest):
        return np.argmax(np.stack(columns), axis=0)
    assert isinstance(said, Local)
    return np.broadcast_to(said.function(columns), (SAMPLES,))


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_is_what_its_op_computes(kind: str) -> None:
    rng = np.random.default_rng(len(kind))
    for graph in REGISTRY[kind].examples(rng):
        values = {x.name: build.samples(rng, x, SAMPLES) for x in graph.inputs}
        for op in graph.ops:
            values[op.name] = op.ref(*(values[name] for name in op.inputs))
        flat = {name: value.reshape(SAMPLES, -1) for name, value in values.items()}
        for op in (op for op in graph.ops if op.kind == kind):
            size = graph.values[op.name].size
            for index in {0, size - 1, *rng.integers(0, size, 20).tolist()}:
                np.testing.assert_array_equal(answer(graph, op, index, flat), flat[op.name][:, index])
