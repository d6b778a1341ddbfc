"""How each op of a graph is written in TensorFlow Lite, and the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgeternary.export._tflite_codes import LOW, MOST_LEVELS, Codes, of_type, refused
from edgeternary.export._tflite_net import SAME, VALID, Net, concatenated, reshaped, same
from edgeternary.export._tflite_sums import Steps, Sum, linear, rescaled, wide
from edgeternary.ir import Graph, Op, parse
from edgeternary.ops import (
    Add,
    Concat,
    Conv2d,
    Dense,
    MaxPool,
    Requantize,
    Reshape,
    Slice,
    SumPool,
    Threshold,
    Upsample,
)
from edgeternary.passes.sink_pool import sink_pool
from edgeternary.passes.steps import bisect


def content(graph: Graph) -> bytes:
    """The bytes of the file of `graph`."""
    net = Net(sink_pool(graph))
    inputs = [net.input(x) for x in graph.inputs]
    for op in net.graph.ops:
        lower = LOWER.get(type(op))
        if lower is None:
            raise refused(op, f"TensorFlow Lite has no operator that is exact for {op.kind}")
        lower(net, op)
    return net.file.content(inputs, [_output(net, name) for name in graph.outputs], graph.name)


def _output(net: Net, name: str) -> int:
    """The tensor of an output: codes, or accumulators as int16."""
    if name in net.made:
        return net.made[name].tensor
    op, scale = net.graph.op(name), net.graph.meta.of_output(name).logit_scale
    return wide(net, op, linear(net, op), 1.0 if isinstance(scale, tuple) else float(scale))


def _sum(net: Net, op: Conv2d | Dense | SumPool | Add) -> None:
    """Kept until a threshold or requantize reads it; where codes are read, it becomes codes itself."""
    value, readers = net.graph.values[op.name], net.graph.consumers(op.name)
    if all(isinstance(reader, Threshold | Requantize) for reader in readers):
        return
    if value.hi - value.lo > MOST_LEVELS:
        readers = [r for r in readers if not isinstance(r, Threshold | Requantize)]
        raise refused(
            op, f"{readers[0].name!r} reads its sums, which have more than {MOST_LEVELS + 1} values"
        )
    channels = value.channels
    t = np.tile(np.arange(value.lo + 1, max(value.hi, value.lo + 1) + 1), (channels, 1))
    zeros = np.zeros(channels, np.int64)
    out = Codes.of(value.shape, value.lo, 1, t.shape[1])
    net.made[op.name] = rescaled(net, op, op.name, linear(net, op), Steps(t, zeros, zeros + 1), out)


def _threshold(net: Net, op: Threshold) -> None:
    _rescale(net, op, op.t, op.base, op.step)


def _requantize(net: Net, op: Requantize) -> None:
    x = net.graph.values[op.inputs[0]]
    if op.hi - op.lo > MOST_LEVELS:
        raise refused(op, f"it has {op.hi - op.lo + 1:,} levels, and {MOST_LEVELS + 1} is the most")
    first = op.lo if op.lo < op.hi else op.lo - 1
    found = bisect(lambda v: op._apply(v.T).T, x.lo, x.hi, np.arange(first, op.hi + 1), op.name)
    _rescale(net, op, found.t, found.base, found.step)


def _rescale(net: Net, op: Threshold | Requantize, t: np.ndarray, base: np.ndarray, step: np.ndarray) -> None:
    name, value = op.inputs[0], net.graph.values[op.name]
    lo, gap, levels = of_type(parse(op.type))
    if levels > MOST_LEVELS:
        lo, levels = value.lo, max(value.hi - value.lo, 1)
    if levels > MOST_LEVELS:
        raise refused(op, f"its codes are {value.lo} to {value.hi}, and int8 has {MOST_LEVELS + 1}")
    maker = next((o for o in net.graph.ops if o.name == name and name not in net.made), None)
    source = linear(net, maker) if maker else Sum.identity(net.codes(op, name))
    function = Steps(t.astype(np.int64), (base.astype(np.int64) - lo) // gap, step.astype(np.int64) // gap)
    net.made[op.name] = rescaled(net, op, op.name, source, function, Codes.of(value.shape, lo, gap, levels))


def _max_pool(net: Net, op: MaxPool) -> None:
    x = net.codes(op, op.inputs[0])
    value, turned = net.graph.values[op.name], bool(np.any(op.minimum))
    if turned:
        x = _turned(net, op, x, "before")
    kind = VALID
    if any(op.pad):
        if same(x.shape, op.kernel, op.stride) == op.pad:
            kind = SAME
        else:
            x = net.padded(op, x, op.pad, LOW)
    out = net.tensor(op.name, replace(x, shape=value.shape))
    (height, width), (down, across) = op.kernel, op.stride
    net.file.operator(
        "MAX_POOL_2D", [x.tensor], out.tensor,
        Padding=kind, StrideH=down, StrideW=across, FilterHeight=height, FilterWidth=width,
    )  # fmt: skip
    net.made[op.name] = _turned(net, op, out, "after") if turned else out


def _turned(net: Net, op: MaxPool, x: Codes, place: str) -> Codes:
    """x with index L - i for i in the channels whose minimum is taken, so that a maximum finds it."""
    minimum = np.asarray(op.minimum, np.int64)
    t = np.tile(np.arange(1, x.levels + 1) * x.gap + x.lo, (len(minimum), 1))
    turned = Steps(t, minimum * x.levels, 1 - 2 * minimum)
    out = Codes.of(x.shape, x.lo, x.gap, x.levels)
    return rescaled(net, op, f"{op.name}/{place}", Sum.identity(x), turned, out)


def _reshape(net: Net, op: Reshape) -> None:
    x = net.codes(op, op.inputs[0])
    net.made[op.name] = reshaped(net, op.name, x, tuple(op.shape))


def _concat(net: Net, op: Concat) -> None:
    net.made[op.name] = concatenated(net, op, op.name, [net.codes(op, name) for name in op.inputs])


def _slice(net: Net, op: Slice) -> None:
    x = net.codes(op, op.inputs[0])
    shape = (*x.shape[:-1], op.stop - op.start)
    out = net.tensor(op.name, replace(x, shape=shape))
    begin = net.file.constant(f"{op.name}/begin", [0] * len(shape) + [op.start])
    size = net.file.constant(f"{op.name}/size", [1, *shape])
    net.file.operator("SLICE", [x.tensor, begin, size], out.tensor)
    net.made[op.name] = out


def _upsample(net: Net, op: Upsample) -> None:
    """Half-pixel centres: (y + 0.5) / factor is never near an integer."""
    x = net.codes(op, op.inputs[0])
    if op.fill != "repeat":
        raise refused(op, "it writes zeros between pixels")
    height, width, channels = x.shape
    shape = (height * op.factor[0], width * op.factor[1], channels)
    out = net.tensor(op.name, replace(x, shape=shape))
    size = net.file.constant(f"{op.name}/size", shape[:2])
    net.file.operator("RESIZE_NEAREST_NEIGHBOR", [x.tensor, size], out.tensor, HalfPixelCenters=1)
    net.made[op.name] = out


LOWER: dict[type[Op], Callable[..., None]] = {
    Add: _sum,
    Concat: _concat,
    Conv2d: _sum,
    Dense: _sum,
    MaxPool: _max_pool,
    Requantize: _requantize,
    Reshape: _reshape,
    Slice: _slice,
    SumPool: _sum,
    Threshold: _threshold,
    Upsample: _upsample,
}
