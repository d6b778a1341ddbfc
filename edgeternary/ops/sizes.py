"""How large a graph's constants are, in the form that `.et` files and generated code hold them."""

import numpy as np

from edgeternary.ir import Graph, Op, parse

QUANTIZERS = ("threshold", "requantize", "lookup", "compare", "lut")  # ops that make activations of few bits
NARROW = (np.int8, np.int16, np.int32)


def sizes(graph: Graph) -> dict[str, int]:
    """Figures of a whole graph.

    weights           weight codes, and zero_weights those that are 0
    packed_bytes      the weights alone as bit planes: binary 1, ternary 2, k-bit k bits each; bytes a layer
    constant_bytes    packed_bytes and biases, thresholds, multipliers and tables in their narrowest integers
    weights_bits      bits of a weight in the layer where it has most, 0 without any
    activations_bits  likewise of the codes between layers
    macs              multiply-accumulates of one inference
    """
    weights = [(getattr(o, field), getattr(o, type)) for o in graph.ops for field, type in o.packed.items()]
    return {
        "weights": sum(int(codes.size) for codes, _ in weights),
        "zero_weights": sum(int(np.count_nonzero(codes == 0)) for codes, _ in weights),
        "packed_bytes": sum(packed_bytes(op) for op in graph.ops),
        "constant_bytes": sum(packed_bytes(op) + other_bytes(op) for op in graph.ops),
        "weights_bits": max((parse(type).planes for _, type in weights), default=0),
        "activations_bits": max(
            (
                graph.values[op.name].type.planes
                for op in graph.ops
                if op.kind in QUANTIZERS and op.name not in graph.outputs
            ),
            default=0,
        ),
        "macs": graph.macs(),
    }


def packed_bytes(op: Op) -> int:
    """Bytes of the op's weights as bit planes."""
    return sum(
        -(-int(getattr(op, field).size) * parse(getattr(op, type)).planes // 8)
        for field, type in op.packed.items()
    )


def other_bytes(op: Op) -> int:
    """Bytes of the op's other arrays in the narrowest signed integers that hold them, 0 for all zeros."""
    total = 0
    for field in op.__struct_fields__:
        array = getattr(op, field)
        if isinstance(array, np.ndarray) and field not in op.packed and array.any():
            fits = (t for t in NARROW if np.iinfo(t).min <= array.min() and array.max() <= np.iinfo(t).max)
            total += int(array.size) * np.dtype(next(fits)).itemsize
    return total
