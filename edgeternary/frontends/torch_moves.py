"""Operators that move elements and change none: reshape, permute, slices of channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.layout import channels_last_order, graph_shape
from edgeternary.frontends.torch_values import (
    Codes,
    Context,
    Lowered,
    Pending,
)
from edgeternary.ops import Reshape, Slice

RESHAPES = "reshape after the activation, and leave logits as they are, (N, classes)"


def reshape(c: Context, x: Lowered, *_: object) -> Lowered:
    """Any change of shape alone, such as flatten, view and squeeze; torch says what it becomes."""
    assert c.node is not None
    fake = c.node.meta["val"]
    if fake.dim() < 1 or fake.shape[0] != 1:
        raise c.refuse(
            f"it makes {tuple(fake.shape)} of one sample, and the first axis is that of the samples",
            "use edgeternary.nn.Flatten, or x.flatten(1)",
        )
    return _moved(c, x, tuple(fake.shape[1:]), None)


def permute(c: Context, x: Lowered, dims: Sequence[int]) -> Lowered:
    base = x.base if isinstance(x, Pending) else c.codes(x, RESHAPES)
    rank = len(base.shape) + 1
    axes = [d % rank for d in dims]
    if axes[0] != 0:
        raise c.refuse("it moves the axis of the samples", "leave axis 0 where it is")
    places = np.arange(base.whole_order.size).reshape(base.shape).transpose([d - 1 for d in axes[1:]])
    return _moved(c, x, places.shape, places.reshape(-1))


def transpose(c: Context, x: Lowered, a: int, b: int) -> Lowered:
    base = x.base if isinstance(x, Pending) else c.codes(x, RESHAPES)
    axes = list(range(len(base.shape) + 1))
    axes[a], axes[b] = axes[b], axes[a]
    return permute(c, x, axes)


def _moved(c: Context, x: Lowered, shape: tuple[int, ...], places: NDArray[np.int64] | None) -> Lowered:
    """x in another shape; places[i]: the element of x that element i of the result is."""
    if isinstance(x, Pending) and all(link.factor for link in x.chain):
        return Pending(_moved_codes(c, x.base, shape, places), x.chain)
    return _moved_codes(c, c.codes(x, RESHAPES), shape, places)


def _moved_codes(c: Context, x: Codes, shape: tuple[int, ...], places: NDArray[np.int64] | None) -> Codes:
    """Where elements lie as the graph has them the result is a reshape, else its order is noted."""
    order = x.whole_order if places is None else x.whole_order[places]
    as_graph = len(shape) <= 3 and np.array_equal(order, channels_last_order(shape))
    if len(shape) > 1 and not as_graph:
        return Codes(x.name, shape, order)
    noted = None if as_graph else order
    if graph_shape(shape) == c.values[x.name].shape:
        return Codes(x.name, shape, noted)
    return c.emit(Reshape(name=c.name(), inputs=(x.name,), shape=graph_shape(shape)), shape, noted)


def part(
    c: Context, x: Lowered, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Lowered:
    """Elements start, start + step, ... of one axis: of the channels, or of the outer axis of a map."""
    x = c.codes(x, "put the activation before the slice")
    axis = dim % (len(x.shape) + 1)
    index = np.arange((1, *x.shape)[axis])[slice(start, end, step)]
    if len(index) == (1, *x.shape)[axis]:
        return x
    if axis == 0 or step != 1:
        raise c.refuse(
            f"it takes {'samples' if axis == 0 else f'each {step}th element of axis {axis}'}",
            "keep the samples; use a pool with a stride in place of every second pixel",
        )
    if axis == 1 and x.order is None:
        op = Slice(name=c.name(), inputs=(x.name,), start=int(index[0]), stop=int(index[-1]) + 1)
        return c.emit(op, (len(index), *x.shape[1:]))
    return _block(c, x, np.arange(x.whole_order.size).reshape(x.shape).take(index, axis - 1))


def select(c: Context, x: Lowered, dim: int, index: int) -> Lowered:
    """One element of an axis, which goes: the last step of a series, say."""
    x = c.codes(x, "put the activation before the slice")
    axis = dim % (len(x.shape) + 1)
    if axis == 0:
        raise c.refuse("it takes one sample", "keep the axis of the samples")
    return _block(
        c, x, np.arange(x.whole_order.size).reshape(x.shape).take([index], axis - 1).squeeze(axis - 1)
    )


def _block(c: Context, x: Codes, places: NDArray[np.int64]) -> Codes:
    """Elements that lie side by side in the graph: a slice of the flat value."""
    order = x.whole_order[places.reshape(-1)]
    first, last = int(order.min()), int(order.max())
    if last - first + 1 != order.size:
        raise c.refuse(
            f"it takes {places.shape} out of {x.shape}, which do not lie side by side in a graph",
            "take channels, or rows of a map, or steps of a series",
        )
    whole = c.values[x.name].size
    flat = x.name
    if c.values[x.name].shape != (whole,):
        flat = c.emit(Reshape(name=c.name("flat"), inputs=(x.name,), shape=(whole,)), (whole,)).name
    block = c.emit(Slice(name=c.name(), inputs=(flat,), start=first, stop=last + 1), (order.size,))
    return _moved_codes(c, Codes(block.name, places.shape, order - first), places.shape, None)
