"""cut: the part of a graph after a layer, for inputs that come in that layer's codes; and its class alone."""

from dataclasses import replace

import msgspec

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.ops import Argmax


def after(graph: Graph, layer: str) -> Graph:
    """The graph whose input is the value of `layer`: a 1-bit camera needs no layer that makes bits of pixels.

    It keeps the states that what follows reads.

    EdgeTernaryError: no such layer, it is an output, or what follows also reads something before it.
    """
    graph.op(layer)
    value = graph.values[layer]
    reads = {op.name: op.inputs for op in graph.ops}
    reads |= {state.value.name: (state.next,) for state in graph.states}
    needed, todo = {layer}, list(graph.outputs)
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += reads.get(name, ())
    kept = [op for op in graph.ops if op.name in needed and op.name != layer]
    states = tuple(state for state in graph.states if state.value.name in needed)
    left = needed - reads.keys()  # inputs of the graph
    if layer in graph.outputs or left:
        why = (
            f"it is {'an' if len(graph.outputs) > 1 else 'the'} output"
            if layer in graph.outputs
            else f"layers after it read {', '.join(sorted(left))} too"
        )
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot start after {layer!r}", why, "name another layer"
        )
    # codes of the layer come in
    meta = msgspec.structs.replace(graph.meta, input_scale=1.0, input_zero=0, inputs={})
    return replace(graph, inputs=(value,), ops=tuple(kept), states=states, meta=meta)


def with_argmax(graph: Graph) -> Graph:
    """The graph with the index of its largest number as the output.

    EdgeTernaryError: several outputs, or one that is not a vector.
    """
    last = graph.outputs[0]
    if len(graph.outputs) > 1 or len(graph.values[last].shape) != 1 or graph.values[last].size < 2:
        raise EdgeTernaryError(
            f"model {graph.name!r} has no class",
            "its output is not one vector of numbers",
            "leave out --argmax",
        )
    best = Argmax(name=identifier(f"{last}_class", graph.values), inputs=(last,))
    return replace(graph, ops=(*graph.ops, best), outputs=(best.name,))
