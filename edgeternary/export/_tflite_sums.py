"""Sums of products as CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, and the rescaling after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeternary.export._staircase import fit, right, staircase
from edgeternary.export._tflite_codes import MOST_LEVELS, Codes, refused
from edgeternary.export._tflite_file import Tensor
from edgeternary.export._tflite_net import SAME, VALID, Net, concatenated, reshaped, same
from edgeternary.ir import Op
from edgeternary.ops import Add, Conv2d, Dense, SumPool
from edgeternary.ops.window import Padding, Pair

Ints = NDArray[np.int64]
RELU6 = 3  # of the schema's activations
MOST_WEIGHT, MOST_WIDE = 127, 32767


@dataclass(frozen=True)
class Sum:
    """acc[o] = bias[o] + sum of weights (out, ky, kx, in / groups) * codes of `source`, in [lo, hi]."""

    source: Codes
    weights: Ints
    bias: Ints
    lo: int
    hi: int
    stride: Pair = (1, 1)
    pad: Padding = (0, 0, 0, 0)
    pad_value: int = 0
    groups: int = 1

    @staticmethod
    def identity(source: Codes) -> Sum:
        """The codes themselves, channel by channel."""
        channels, hi = source.shape[-1], source.lo + source.gap * source.levels
        ones, zeros = np.ones((channels, 1, 1, 1), np.int64), np.zeros(channels, np.int64)
        return Sum(source, ones, zeros, source.lo, hi, groups=channels)


class Steps(NamedTuple):
    """index = base + step * count(acc >= t), with t (C, K), base and step (C,)."""

    t: Ints
    base: Ints
    step: Ints


class Ending(NamedTuple):
    """What follows a sum: scales of the weights, one a channel, a fused activation; wide: int16 codes."""

    name: str
    scales: tuple[float, ...]
    active: int
    wide: bool = False


def linear(net: Net, op: Op) -> Sum:
    """The layer `op` as a sum of products of one tensor; EdgeTernaryError where it is none."""
    value = net.graph.values[op.name]
    if isinstance(op, Add):
        parts = [net.codes(op, name) for name in op.inputs]
        first = parts[0]
        joined = concatenated(net, op, f"{op.name}/both", [replace(p, lo=first.lo) for p in parts])
        eye = np.eye(first.shape[-1], dtype=np.int64)
        bias = np.full(len(eye), sum(p.lo - first.lo for p in parts), np.int64)
        return Sum(joined, np.concatenate([eye, eye], 1)[:, None, None], bias, value.lo, value.hi)
    if not isinstance(op, Conv2d | Dense | SumPool):
        raise refused(op, "its integers have too many values for int8")
    source = net.codes(op, op.inputs[0])
    if isinstance(op, SumPool):
        channels = source.shape[-1]
        ones, zeros = np.ones((channels, *op.kernel, 1), np.int64), np.zeros(channels, np.int64)
        return Sum(source, ones, zeros, value.lo, value.hi, op.stride, groups=channels)
    weights, bias = op.weights.astype(np.int64), op.bias.astype(np.int64)
    if isinstance(op, Dense):
        return Sum(source, weights[:, None, None], bias, value.lo, value.hi)
    where = (op.stride, op.pad, op.pad_value, op.groups)
    return Sum(source, weights, bias, value.lo, value.hi, *where)


def rescaled(net: Net, op: Op, name: str, sum: Sum, function: Steps, out: Codes) -> Codes:
    """The sum and the steps that give indices of `out` as one operator, called `name`; `op` is for errors.

    Each channel's weights get a factor and a sign, its bias an offset, and its scale is chosen so that every
    rounding of TFLite's kernels gives the same codes. EdgeTernaryError where no such scale exists.
    """
    x = sum.source
    weights, bias = _centred(op, sum)
    peaks = np.abs(weights.reshape(len(bias), -1)).max(1)
    s_in, s_out = float(np.float32(x.scale)), float(np.float32(out.scale))
    scales: list[float] = []
    multiple, offset = np.zeros((2, len(bias)), np.int64)
    for channel, (t, base, step) in enumerate(zip(*function, strict=True)):
        stairs = staircase(int(base), int(step), t, out.levels, sum.lo, sum.hi)
        found = fit(stairs, MOST_WEIGHT // max(int(peaks[channel]), 1))
        scale = float(np.float32(found.scale * s_out / s_in)) if found else 1.0
        if not found or not right(stairs, replace(found, scale=s_in * scale / s_out)):
            raise refused(op, f"the steps of channel {channel} are not those of one multiplication")
        scales.append(scale)
        multiple[channel], offset[channel] = found.factor * stairs.sign, found.offset
    biases = multiple * bias + offset
    if np.abs(biases).max() >= 2**31:
        raise refused(op, "its bias leaves int32")
    result = net.tensor(name, out)
    scaled = replace(sum, weights=weights * multiple[:, None, None, None], bias=biases)
    active = 0 if out.levels == MOST_LEVELS else RELU6
    _operator(net, op, scaled, result.tensor, Ending(name, tuple(scales), active))
    return result


def wide(net: Net, op: Op, sum: Sum, scale: float) -> int:
    """The accumulators themselves as an int16 tensor, for an output of the graph."""
    if (peak := max(abs(sum.lo), abs(sum.hi))) > MOST_WIDE:
        raise refused(op, f"its sums reach {peak:,}, and int16 holds {MOST_WIDE:,}")
    weights, bias = _centred(op, sum)
    shape = (1, *net.graph.values[op.name].shape)
    out = net.file.tensor(Tensor(op.name, shape, "int16", (scale,)))
    each = float(np.float32(float(np.float32(scale)) / float(np.float32(sum.source.scale))))
    ending = Ending(op.name, (each,) * len(bias), 0, wide=True)
    _operator(net, op, replace(sum, weights=weights, bias=bias), out, ending)
    return out


def _centred(op: Op, sum: Sum) -> tuple[Ints, Ints]:
    """Weights and bias for what TFLite multiplies: elements of the tensor minus its zero point."""
    weights = sum.weights * sum.source.gap
    if (peak := int(np.abs(weights).max())) > MOST_WEIGHT:
        raise refused(op, f"its weights reach {peak}, and int8 weights reach {MOST_WEIGHT}")
    return weights, sum.bias + sum.source.centre * sum.weights.reshape(len(sum.bias), -1).sum(1)


def _operator(net: Net, op: Op, sum: Sum, out: int, ending: Ending) -> None:
    """The operator itself: a vector goes as it is, or as a map of one pixel where channels stay apart."""
    name, scales, active, wide = ending
    x, pixel = sum.source, len(sum.source.shape) == 1 and sum.groups > 1
    flat, padding = len(x.shape) == 1 and not pixel, VALID
    if any(sum.pad):
        x, padding = _padded(net, op, sum)
    if pixel:
        x = reshaped(net, f"{name}/map", x, (1, 1, *x.shape))
    given, target, shape = x.tensor, out, net.file.tensors[out].shape
    if wide:
        given = net.file.tensor(Tensor(f"{name}/wide", (1, *x.shape), "int16", (x.scale,)))
        net.file.operator("QUANTIZE", [x.tensor], given)
    if pixel:
        row = replace(net.file.tensors[out], name=f"{name}/row", shape=(1, 1, *shape))
        target = net.file.tensor(row)
    depthwise = not flat and sum.groups == x.shape[-1]
    weights = sum.weights[:, 0, 0] if flat else sum.weights
    weights = weights.transpose(3, 1, 2, 0) if depthwise else weights
    scales = scales[:1] if flat and len(set(scales)) == 1 else scales
    w = net.file.constant(f"{name}/w", weights, "int8", scale=scales, axis=3 if depthwise else 0)
    units = tuple(float(np.float32(x.scale)) * s for s in scales)
    b = net.file.constant(f"{name}/b", sum.bias, "int64" if wide else "int32", scale=units)
    if flat:
        net.file.operator("FULLY_CONNECTED", [given, w, b], target, FusedActivationFunction=active)
        return
    options = {"Padding": padding, "StrideH": sum.stride[0], "StrideW": sum.stride[1]}
    options |= {"FusedActivationFunction": active}
    options |= {"DepthMultiplier": len(sum.bias) // sum.groups} if depthwise else {}
    net.file.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [given, w, b], target, **options)
    if pixel:
        net.file.operator("RESHAPE", [target, net.file.constant(f"{name}/shape", shape)], out)


def _padded(net: Net, op: Op, sum: Sum) -> tuple[Codes, int]:
    """The input, with a border where TensorFlow's own padding SAME is another one, and the padding."""
    x, kernel = sum.source, (sum.weights.shape[1], sum.weights.shape[2])
    element = x.element(sum.pad_value)
    if element is None:
        raise refused(op, f"it pads with {sum.pad_value}, which is no int8 code of its input")
    if element == x.zero and same(x.shape, kernel, sum.stride) == sum.pad:
        return x, SAME
    return net.padded(op, x, sum.pad, element), VALID
