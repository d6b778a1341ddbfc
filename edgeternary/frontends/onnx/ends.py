"""The outputs of the graph: integers, and the scale, zero and offset that make them the file's floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from edgeternary.frontends.onnx.grids import shifted
from edgeternary.frontends.onnx.joins import scaled
from edgeternary.frontends.onnx.values import Const, Context, Grid, Live, Tensor
from edgeternary.ops import Argmax, Conv2d, Dense, Reshape

LEFT_OFF = ("Softmax", "LogSoftmax", "Sigmoid", "HardSigmoid", "Tanh")  # at the end: they keep the order
Number = float | tuple[float, ...]


@dataclass(frozen=True)
class End:
    """value: its name in the graph. logit = (y - zero) * scale + offset. shape: of a sample in the file."""

    value: str
    scale: Number
    zero: int
    offset: Number
    shape: tuple[int, ...]


def end(c: Context, x: Tensor) -> End:
    """What the output tensor x of the file is in the graph."""
    if isinstance(x, Const):
        raise c.refuse("the output is a constant", "name an output that depends on the input")
    x = _without_zero(c, x)
    name, grid = x.base, x.grid
    if grid is None:
        raise c.refuse(
            "the output is no integer times a scale: a function such as Relu follows the last layer",
            "end the model with a quantiser, or name the layer before it as the output (--until)",
        )
    if np.any(np.asarray(grid.scale) <= 0):
        name, grid = _upright(c, x, grid)
    else:
        grid = _folded(c, x, grid)
    if not np.all(np.isfinite(grid.scale)) or not np.all(np.isfinite(grid.offset)):
        raise c.refuse("the scale of the output is not finite", "check the last layers")
    zero = np.asarray(grid.zero)
    if zero.ndim:  # one for each channel: part of the offset
        grid = Grid(grid.scale, np.int64(0), grid.offset - grid.zero * grid.scale)
        zero = np.asarray(0)
    return End(_named(c, name, x), _plain(grid.scale), int(zero), _plain(grid.offset), x.shape)


def _without_zero(c: Context, x: Live) -> Live:
    """An accumulator whose zero point, an integer bias of its own operator, is in the bias of its layer."""
    if x.grid is None or not np.any(x.grid.zero):
        return x
    zero = np.broadcast_to(np.asarray(x.grid.zero, np.int64), (c.values[x.base].channels,))
    return shifted(c, x, -zero) or x


def _upright(c: Context, x: Live, grid: Grid) -> tuple[str, Grid]:
    """Scales above 0: a channel of a negative one changes its sign, one of 0 becomes 0."""
    channels = c.values[x.base].channels
    scale = np.broadcast_to(np.asarray(grid.scale, np.float64), (channels,))
    op = scaled(c, x, np.sign(scale).astype(np.int64), "sign")
    c.emit(op)
    zero = np.broadcast_to(np.asarray(grid.zero), (channels,))
    offset = np.broadcast_to(np.asarray(grid.offset, np.float64), (channels,)) - zero * scale
    c.remarks.append("channels with a negative scale change their sign")
    return op.name, Grid(np.where(scale == 0, 1.0, np.abs(scale)), offset=offset)


def _folded(c: Context, x: Live, grid: Grid) -> Grid:
    """An offset of whole steps as part of the bias of the last layer, so that its integers compare."""
    last = c.ops[-1] if c.ops else None
    if not isinstance(last, Dense | Conv2d) or last.name != x.base:
        return grid
    scale, offset = np.asarray(grid.scale, np.float64), np.asarray(grid.offset, np.float64)
    steps = np.rint(offset / scale)
    bias = last.bias + np.broadcast_to(steps - grid.zero, last.bias.shape)
    if np.any(steps * scale != offset) or np.abs(bias).max() >= 2**30:
        return grid
    c.ops[-1] = msgspec.structs.replace(last, bias=bias.astype(np.int32))
    c.values[last.name] = c.ops[-1].infer([c.values[name] for name in last.inputs])
    return Grid(grid.scale)


def _named(c: Context, name: str, x: Live) -> str:
    """The value as an output: made by a layer, in an order that a graph can name."""
    if x.order is not None and not np.array_equal(x.order, np.arange(x.order.size)):
        raise c.refuse(
            "the output is a flattened or transposed map", "name the map itself as the output (--until)"
        )
    if name not in {op.name for op in c.ops}:
        op = Reshape(name=c.name("output"), inputs=(name,), shape=c.values[name].shape)
        c.emit(op)
        return op.name
    return name


def _plain(n: Any) -> Number:
    values = np.unique(np.asarray(n, np.float64)) if np.ndim(n) else np.asarray(n, np.float64).reshape(1)
    if len(values) == 1:
        return float(values[0])
    return tuple(float(v) for v in np.asarray(n, np.float64))


def argmax(c: Context, x: Live) -> Live:
    """ArgMax over the classes, and TopK of 1."""
    node = c.here
    axis = int(node.get("axis", -1 if node.type == "TopK" else 0))
    if len(x.shape) != 1 or axis not in (1, -1):
        raise c.refuse(
            f"it takes axis {axis} of {(1, *x.shape)}", "take that of the classes, axis 1 of (N, classes)"
        )
    if node.get("select_last_index", 0) or not node.get("largest", 1):
        raise c.refuse("it takes the last or the smallest one", "take the first of the largest ones")
    grid = x.grid
    if (
        grid is None
        or np.ndim(grid.scale)
        or np.any(grid.offset)
        or float(grid.scale) <= 0
        or np.ndim(grid.zero)
    ):
        raise c.refuse(
            "its classes have scales or float biases of their own, so integers do not compare as they do",
            "name the layer before it as the output (--until), and compare logits",
        )
    if x.order is not None and not np.array_equal(x.order, np.arange(x.order.size)):
        raise c.refuse("its input is a flattened map", "flatten maps before the last layer")
    op = Argmax(name=c.name(), inputs=(x.base,))
    c.emit(op)
    shape = (1,) if node.type == "TopK" or node.get("keepdims", 1) else ()
    return Live(op.name, shape, None, (), Grid(np.asarray(1.0)))
