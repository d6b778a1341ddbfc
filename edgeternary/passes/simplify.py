"""simplify: remove layers that do nothing, join reshapes, and remove layers whose value nobody reads."""

import msgspec

from edgeternary.ir import Graph, Op
from edgeternary.ops import Reshape


def simplify(graph: Graph) -> Graph:
    """Drop reshapes to the same shape (but for outputs) and dead layers; join reshape chains."""
    renamed: dict[str, str] = {}
    shapes = graph.values
    sources: dict[str, str] = {}  # of each reshape that stays: the value whose elements it shows
    ops: list[Op] = []
    for op in graph.ops:
        op = msgspec.structs.replace(op, inputs=tuple(renamed.get(name, name) for name in op.inputs))
        if isinstance(op, Reshape):
            source = sources.get(op.inputs[0], op.inputs[0])
            if op.name not in graph.outputs and op.shape == shapes[source].shape:
                renamed[op.name] = source
                continue
            sources[op.name] = source
            op = msgspec.structs.replace(op, inputs=(source,))
        ops.append(op)
    live = {renamed.get(name, name) for name in graph.shown}
    kept: list[Op] = []
    for op in reversed(ops):
        if op.name in live:
            live.update(op.inputs)
            kept.append(op)
    if len(kept) == len(graph.ops):
        return graph
    return _with_states(graph, kept[::-1], renamed)


def _with_states(graph: Graph, ops: list[Op], renamed: dict[str, str]) -> Graph:
    from dataclasses import replace

    states = tuple(replace(s, next=renamed.get(s.next, s.next)) for s in graph.states)
    return replace(graph, ops=tuple(ops), states=states)
