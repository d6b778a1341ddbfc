"""Pools: the largest element, and sums that stand for means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeternary.frontends.onnx.grids import on_grid, padded_codes
from edgeternary.frontends.onnx.matrices import kernel_shape, window
from edgeternary.frontends.onnx.moves import to_shape
from edgeternary.frontends.onnx.values import Const, Context, Grid, Live
from edgeternary.ops import Conv2d, MaxPool, SumPool
from edgeternary.ops.window import Padding, Pair


def _map(c: Context, x: Live) -> Live:
    if len(x.shape) not in (2, 3) or x.order is not None:
        raise c.refuse(f"its input is {(1, *x.shape)}", "pool (N, channels, length) or (N, channels, y, x)")
    return x


def _after(c: Context, x: Live, name: str, chain: Live) -> Live:
    height, width, channels = c.values[name].shape
    shape = (channels, height, width) if len(x.shape) == 3 else (channels, width)
    return replace(chain, base=name, shape=shape, order=None)


def max_pool(c: Context, x: Live) -> Live:
    """The largest number is that of the largest integer, or of the smallest where a channel falls."""
    x = _map(c, x)
    node = c.here
    if any(int(d) != 1 for d in node.get("dilations", [])) or any(node.outputs[1:]):
        raise c.refuse("it is dilated, or gives indices", "use a larger kernel or a stride, and values alone")
    value = c.values[x.base]
    if not all(link.monotone for link in x.chain):
        raise c.refuse("the functions before it turn back", "quantise before the pool")
    kernel = kernel_shape(c, len(x.shape) - 1)
    stride, pad = _ceiled(c, x, kernel, *window(c, x.shape[1:], kernel))
    ends = x(np.broadcast_to(np.array([[value.lo, value.hi]], np.int64), (value.channels, 2)))
    op = MaxPool(
        name=c.name(), inputs=(x.base,), kernel=kernel, stride=stride, pad=pad,
        minimum=(ends[:, 0] > ends[:, 1]).astype(np.uint8),
    )  # fmt: skip
    c.emit(op)
    return _after(c, x, op.name, x)


def _ceiled(c: Context, x: Live, kernel: Pair, stride: Pair, pad: Padding) -> tuple[Pair, Padding]:
    """ceil_mode: more pads at the end, so that a last window holds what is left; it starts inside."""
    if not c.here.get("ceil_mode", 0):
        return stride, pad
    more = [0, 0]
    sizes = x.shape[1:] if len(x.shape) == 3 else (1, x.shape[1])
    for axis in range(2):
        size, k, s = sizes[axis] + pad[axis] + pad[axis + 2], kernel[axis], stride[axis]
        windows = -((k - size) // s)
        if windows * s >= sizes[axis] + pad[axis]:
            windows -= 1
        more[axis] = max(0, windows * s + k - size)
    return stride, (pad[0], pad[1], pad[2] + more[0], pad[3] + more[1])


def average_pool(c: Context, x: Live) -> Live:
    x = _map(c, x)
    kernel = kernel_shape(c, len(x.shape) - 1)
    stride, pad = window(c, x.shape[1:], kernel)
    if c.here.get("ceil_mode", 0) or any(int(d) != 1 for d in c.here.get("dilations", [])):
        raise c.refuse("it has ceil_mode or dilations", "use a pool that ends with the map")
    if any(pad) and not c.here.get("count_include_pad", 0):
        raise c.refuse("it pads, and divides by less at the edge", "use count_include_pad=1, or no pads")
    return mean(c, x, kernel, stride, pad)


def global_average(c: Context, x: Live) -> Live:
    x = _map(c, x)
    sizes = x.shape[1:] if len(x.shape) == 3 else (1, x.shape[1])
    return mean(c, x, (sizes[0], sizes[1]), (1, 1), (0, 0, 0, 0))


def reduce_mean(c: Context, x: Live, axes: Const | None = None) -> Live:
    x = _map(c, x)
    rank = len(x.shape) + 1
    given = c.here.get("axes", []) if axes is None else axes.value.reshape(-1)
    if sorted(int(a) % rank for a in given) != list(range(2, rank)):
        raise c.refuse(
            f"it takes the mean of axes {list(given)[:6]}", f"take that of axes {list(range(2, rank))}"
        )
    y = global_average(c, x)
    if c.here.get("keepdims", 1):
        return y
    flat = to_shape(c, y, (1, y.shape[0]))
    assert isinstance(flat, Live)
    return flat


def mean(c: Context, x: Live, kernel: Pair, stride: Pair, pad: Padding) -> Live:
    """A sum in the graph, with the scale divided by the number of elements."""
    grid = x.grid
    if grid is None or not grid.exact or np.any(grid.offset):
        raise c.refuse("its input is not quantised", "put a quantiser before the pool")
    count = kernel[0] * kernel[1]
    if any(pad):
        name = _padded_sum(c, x, kernel, stride, pad, grid)
    else:
        op = SumPool(name=c.name(), inputs=(x.base,), kernel=kernel, stride=stride)
        c.emit(op)
        name = op.name
    scale = np.asarray(grid.scale / count)
    after = Grid(scale, np.asarray(grid.zero) * count, exact=bool(np.all(scale * count == grid.scale)))
    c.remarks.append(f"a sum of {count}; the division is part of what follows")
    return _after(c, x, name, replace(x, chain=(on_grid(after),), grid=after, hint=None))


def _padded_sum(c: Context, x: Live, kernel: Pair, stride: Pair, pad: Padding, grid: Grid) -> str:
    """With pads the sum is a depthwise convolution of ones."""
    if np.ndim(grid.zero):
        raise c.refuse("it pads codes of several zero points", "use one zero point")
    zero = int(grid.zero)
    x = padded_codes(c, x, zero)
    channels = c.values[x.base].channels
    op = Conv2d(
        name=c.name(), inputs=(x.base,), weights=np.ones((channels, *kernel, 1), np.int8),
        weight_type="bipolar", bias=np.zeros(channels, np.int32), stride=stride, pad=pad,
        pad_value=zero, groups=channels,
    )  # fmt: skip
    c.emit(op)
    return op.name
