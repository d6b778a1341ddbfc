"""cut: the part of a graph after a layer, for inputs that come in that layer's codes; and its class alone."""

from dataclasses import replace

import msgspec

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.ops import Argmax


def after(graph: Graph, layer: str) -> Graph:
    """The graph whose input is the value of `layer`: a 1-bit camera needs no layer that makes bits of pixels.

    EdgeTernaryError: no such layer, it is an output, or what follows also reads something before it.
    """
    graph.op(layer)
    value = graph.values[layer]
    needed = set(graph.outputs)
    kept = []
    for op in reversed(graph.ops):
        if op.name in needed and op.name != layer:
            kept.append(op)
            needed.update(op.inputs)
    left = needed - {op.name for op in kept} - {layer}
    if layer in graph.outputs or left or graph.states:
        why = (
            f"it is {'an' if len(graph.outputs) > 1 else 'the'} output"
            if layer in graph.outputs
            else f"layers after it read {', '.join(sorted(left))} too"
            if left
            else "the model keeps state between steps"
        )
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot start after {layer!r}", why, "name another layer"
        )
    # codes of the layer come in
    meta = msgspec.structs.replace(graph.meta, input_scale=1.0, input_zero=0, inputs={})
    return replace(graph, inputs=(value,), ops=tuple(reversed(kept)), meta=meta)


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
