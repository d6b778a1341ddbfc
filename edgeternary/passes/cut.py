"""cut: the part of a graph after a layer, for inputs that come in that layer's codes."""

from dataclasses import replace

import msgspec

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph


def after(graph: Graph, layer: str) -> Graph:
    """The graph whose input is the value of `layer`: a 1-bit camera needs no layer that makes bits of pixels.

    EdgeTernaryError: no such layer, it is the output, or what follows also reads something before it.
    """
    graph.op(layer)
    value = graph.values[layer]
    needed = {graph.output}
    kept = []
    for op in reversed(graph.ops):
        if op.name in needed and op.name != layer:
            kept.append(op)
            needed.update(op.inputs)
    left = needed - {op.name for op in kept} - {layer}
    if not kept or left or graph.states:
        why = (
            "it is the output"
            if not kept
            else f"layers after it read {', '.join(sorted(left))} too"
            if left
            else "the model keeps state between steps"
        )
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot start after {layer!r}", why, "name another layer"
        )
    meta = msgspec.structs.replace(graph.meta, input_scale=1.0, input_zero=0)  # codes of the layer come in
    return replace(graph, input=value, ops=tuple(reversed(kept)), meta=meta)
