"""The reference executor: every op's meaning, vectorised over samples."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from edgeternary.ir import Graph, IntArray
from edgeternary.ir.evaluate import evaluate, evaluate_steps
from edgeternary.ir.ports import join, split
from edgeternary.run.result import Result, Stat

SHARED = True  # processes may share the samples
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

    Several inputs come, and several outputs go, in their joined form.

    taps  return every value of the graph
    """
    progress = options.get("progress")
    keep = [op.name for op in graph.ops] if taps else list(graph.outputs)
    parts: list[dict[str, IntArray]] = []
    for start in range(0, max(len(inputs), 1), CHUNK):
        chunk = inputs[start : start + CHUNK].astype(np.int32)
        if graph.states:
            values = evaluate_steps(graph, chunk, keep)
        else:
            values = evaluate(graph.ops, split(graph.inputs, chunk))
        parts.append({name: values[name] for name in keep})
        if callable(progress):
            progress(min(start + CHUNK, len(inputs)), len(inputs))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in keep}
    return Result(outputs=join(graph.output_values, joined), taps=joined if taps else {})


class _Session:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.stats = graph, dict[str, Stat]()
        self.state = {s.value.name: s.init[None] for s in graph.states}

    def step(self, codes: np.ndarray) -> IntArray:
        values = evaluate(
            self.graph.ops, {**split(self.graph.inputs, codes[None].astype(np.int32)), **self.state}
        )
        self.state = {s.value.name: values[s.next] for s in self.graph.states}
        return join(self.graph.output_values, values)[0]


@contextmanager
def open(graph: Graph, *, target: str = "", options: Mapping[str, object] = {}) -> Iterator[_Session]:
    """A session of `graph`, which has states."""
    yield _Session(graph)
