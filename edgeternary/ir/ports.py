"""Several inputs or outputs as one array: the flattened tensors of a sample, one after the other.

Executors exchange this form, and a serial port sends it. The array of a single value keeps its shape.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.value import Value

T = TypeVar("T")


def only(items: Sequence[T], model: str, what: str) -> T:
    """The one item; EdgeTernaryError where there are several. what: "inputs" or "outputs"."""
    if len(items) != 1:
        raise EdgeTernaryError(
            f"model {model!r} has {len(items)} {what}", "this part of edgeternary handles exactly one"
        )
    return items[0]


def joined_shape(values: Sequence[Value]) -> tuple[int, ...]:
    """Shape of a sample in the joined form: the value's own where there is one, else (all elements,)."""
    return values[0].shape if len(values) == 1 else (sum(value.size for value in values),)


def join(values: Sequence[Value], parts: Mapping[str, NDArray[np.int32]]) -> NDArray[np.int32]:
    """Arrays (*lead, *shape) by name -> (*lead, *joined_shape)."""
    if len(values) == 1:
        return parts[values[0].name]
    lead = [parts[v.name].shape[: parts[v.name].ndim - len(v.shape)] for v in values]
    flat = [parts[v.name].reshape(*axes, v.size) for v, axes in zip(values, lead, strict=True)]
    return np.concatenate(flat, axis=-1)


def split(values: Sequence[Value], joined: NDArray[np.int32]) -> dict[str, NDArray[np.int32]]:
    """The opposite of `join`: (*lead, *joined_shape) -> arrays (*lead, *shape) by name."""
    if len(values) == 1:
        return {values[0].name: joined}
    ends = np.cumsum([value.size for value in values])[:-1]
    parts = np.split(joined, ends, axis=-1)
    return {
        v.name: np.ascontiguousarray(p).reshape(*p.shape[:-1], *v.shape)
        for v, p in zip(values, parts, strict=True)
    }
