"""What a graph computes: every op's meaning in numpy, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.ir.op import IntArray, Op
from edgeternary.ir.ports import split

if TYPE_CHECKING:
    from edgeternary.ir.graph import Graph


def evaluate(ops: Sequence[Op], values: dict[str, IntArray]) -> dict[str, IntArray]:
    """Adds the value of each op, int32 (samples, *shape), to `values`, which holds the inputs and states."""
    for op in ops:
        values[op.name] = op.ref(*(values[name] for name in op.inputs))
    return values


def evaluate_steps(graph: Graph, inputs: IntArray, keep: Sequence[str]) -> dict[str, IntArray]:
    """The values `keep` at each of the steps of inputs (samples, steps, *shape), all samples side by side.

    Several inputs come in their joined form, see `ir.ports`.

    What is not kept is forgotten after its step: thousands of steps of a language model would fill memories.
    """
    samples, steps = inputs.shape[:2]
    state = {s.value.name: np.broadcast_to(s.init, (samples, *s.init.shape)) for s in graph.states}
    trace: list[dict[str, IntArray]] = []
    for step in range(steps):
        values = evaluate(graph.ops, {**split(graph.inputs, inputs[:, step]), **state})
        state = {s.value.name: values[s.next] for s in graph.states}
        trace.append({name: values[name] for name in keep})
    return {
        name: np.stack([values[name] for values in trace], axis=1)
        if trace
        else np.zeros((samples, 0, *graph.values[name].shape), np.int32)
        for name in keep
    }
