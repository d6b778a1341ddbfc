"""A graph that is a chain of layers, cut before each op with weights."""

from __future__ import annotations

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import Conv2d, Dense


def parts(graph: Graph) -> list[Graph]:
    """One graph for each dense or conv2d op: it, and the ops that follow up to the next one.

    EdgeTernaryError where an op reads a value from before the layer that it belongs to.
    """
    starts = [i for i, op in enumerate(graph.ops) if isinstance(op, Dense | Conv2d)]
    if not starts:
        raise EdgeTernaryError(f"{graph.name} has no layer with weights", "", "search another one", USAGE)
    starts[0] = 0
    found = []
    for start, stop in zip(starts, [*starts[1:], len(graph.ops)], strict=True):
        ops = graph.ops[start:stop]
        made = {op.name for op in ops}
        read = {name for op in ops for name in op.inputs} - made
        if len(read) != 1 or graph.states:
            raise EdgeTernaryError(
                f"{graph.name} is not a chain of layers",
                f"layer {ops[0].name} and its activation read {', '.join(sorted(read))}",
                "a search takes networks in which each layer reads the one before",
                USAGE,
            )
        found.append(Graph(graph.name, graph.values[read.pop()], ops, ops[-1].name))
    return found
