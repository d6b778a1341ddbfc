"""The reference executor: every op's meaning, vectorised over samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgeternary.ir import Graph, IntArray
from edgeternary.run.result import Result

CHUNK = 64  # samples at a time, so that the maps of a convolutional net stay small


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape); (samples, steps, *shape) with states, reset for each sample.

    taps  return every value of the graph
    """
    progress = options.get("progress")
    keep = [op.name for op in graph.ops] if taps else [graph.output]
    parts: list[dict[str, IntArray]] = []
    for start in range(0, max(len(inputs), 1), CHUNK):
        chunk = inputs[start : start + CHUNK].astype(np.int32)
        if graph.states:
            values = _steps(graph, chunk, keep)
        else:
            values = _evaluate(graph, {graph.input.name: chunk})
        parts.append({name: values[name] for name in keep})
        if callable(progress):
            progress(min(start + CHUNK, len(inputs)), len(inputs))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in keep}
    return Result(outputs=joined[graph.output], taps=joined if taps else {})


def _evaluate(graph: Graph, values: dict[str, IntArray]) -> dict[str, IntArray]:
    for op in graph.ops:
        values[op.name] = op.ref(*(values[name] for name in op.inputs))
    return values


def _steps(graph: Graph, inputs: IntArray, keep: list[str]) -> dict[str, IntArray]:
    """The values `keep` at each of the steps of inputs (samples, steps, *shape), all samples side by side.

    What is not kept is forgotten after its step: thousands of steps of a language model would fill memories.
    """
    samples, steps = inputs.shape[:2]
    state = {s.value.name: np.broadcast_to(s.init, (samples, *s.init.shape)) for s in graph.states}
    trace: list[dict[str, IntArray]] = []
    for step in range(steps):
        values = _evaluate(graph, {graph.input.name: inputs[:, step], **state})
        state = {s.value.name: values[s.next] for s in graph.states}
        trace.append({name: values[name] for name in keep})
    return {
        name: np.stack([values[name] for values in trace], axis=1)
        if trace
        else np.zeros((samples, 0, *graph.values[name].shape), np.int32)
        for name in keep
    }
