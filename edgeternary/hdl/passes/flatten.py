"""Flattening moves in front of the input's encoder, so that several pixels can come in a cycle."""

from dataclasses import replace

import msgspec
import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ops import Reshape, Threshold

NAME = "flat input"


def flatten_early(graph: Graph) -> Graph:
    """input -> threshold of the only channel -> reshape to a vector, as input -> reshape -> threshold.

    A beat carries channels, and an image of one channel has only one of them: as a vector it has as many as
    pixels. The threshold keeps its name; the same graph where it has not this form.
    """
    if len(graph.inputs) > 1:
        return graph
    written = {state.next for state in graph.states}
    first = graph.consumers(graph.input.name)
    if (
        graph.input.name in written
        or len(first) != 1
        or not isinstance(first[0], Threshold)
        or graph.input.channels != 1
    ):
        return graph
    encoder = first[0]
    after = graph.consumers(encoder.name)
    if len(after) != 1 or not isinstance(after[0], Reshape) or len(after[0].shape) != 1:
        return graph
    if {*graph.outputs, *written} & {graph.input.name, encoder.name, after[0].name}:
        return graph
    size = graph.input.size
    flat = Reshape(name=NAME, inputs=(graph.input.name,), shape=(size,))
    wide = msgspec.structs.replace(
        encoder,
        inputs=(NAME,),
        t=np.repeat(encoder.t, size, axis=0),
        base=np.repeat(encoder.base, size),
        step=np.repeat(encoder.step, size),
    )
    ops: list[Op] = [flat, wide]
    for op in graph.ops:
        if op.name not in (encoder.name, after[0].name):
            inputs = tuple(encoder.name if name == after[0].name else name for name in op.inputs)
            ops.append(msgspec.structs.replace(op, inputs=inputs))
    return replace(graph, ops=tuple(ops))
