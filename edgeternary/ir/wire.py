"""Inputs and outputs as bytes, as C and a serial port have them.

Each element is in its natural storage, little-endian. Several values follow each other without gaps, in the
order of the graph.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir.graph import Graph
from edgeternary.ir.ports import join, joined_shape, split
from edgeternary.ir.types import parse
from edgeternary.ir.value import Value


def element_bytes(value: Value) -> int:
    """Bytes of a value in its natural storage, the C type of its elements."""
    return value.size * value.type.dtype.itemsize


def to_bytes(values: Sequence[Value], joined: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Codes (*lead, *joined_shape) as the bytes (*lead, bytes) of their C elements, little-endian."""
    lead = joined.shape[: joined.ndim - len(joined_shape(values))]
    parts = []
    for value, codes in zip(values, split(values, joined).values(), strict=True):
        elements = np.ascontiguousarray(codes).astype(value.type.dtype.newbyteorder("<"))
        parts.append(elements.reshape(*lead, value.size).view(np.uint8))
    return np.concatenate(parts, axis=-1)


def from_bytes(values: Sequence[Value], data: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The opposite of `to_bytes`: bytes (*lead, bytes) -> int32 (*lead, *joined_shape)."""
    start, found = 0, {}
    for value in values:
        part = np.ascontiguousarray(data[..., start : start + element_bytes(value)])
        codes = part.view(value.type.dtype.newbyteorder("<")).astype(np.int32)
        found[value.name] = codes.reshape(*data.shape[:-1], *value.shape)
        start += element_bytes(value)
    return join(values, found)


def wire(graph: Graph) -> tuple[Value, Value]:
    """What a serial port takes and gives: input and output, or with several vectors of all their bytes."""
    if not graph.several:
        return graph.input, graph.output_value
    sizes = (sum(map(element_bytes, values)) for values in (graph.inputs, graph.output_values))
    taken, given = (Value("bytes", (size,), parse("uint8"), 0, 255) for size in sizes)
    return taken, given
