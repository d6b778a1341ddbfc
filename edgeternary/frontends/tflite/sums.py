"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: sums of products, rescaled to the output's codes.

    acc[o] = bias[o] + sum w * (x - zero of x)        the zero point goes into the bias and into the pad value

int8       convolutions round twice; FULLY_CONNECTED multiplies by a float64 and rounds half away from zero
int16      a bias of int64, or a depthwise one: a multiplier of 16 bits, rounded once
           a bias of int32: as int8
"""

import math

import numpy as np

from edgeternary.frontends.tflite import windows
from edgeternary.frontends.tflite.arithmetic import Floats, Ints, half_away, quantized_multiplier
from edgeternary.frontends.tflite.net import TWICE, Net, refuse
from edgeternary.frontends.tflite.records import Operator
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Conv2d, Dense, Requantize

ONCE = "a multiplier of 16 bits, rounded once"
FLOAT = "multiplies by a float64, rounds half away from zero"
WEIGHTS = ("INT8", "INT4")
INT32 = 2  # in the schema's enumeration of tensor types


def conv_2d(net: Net, operator: Operator) -> str:
    """CONV_2D, grouped where the filter has fewer channels than the input."""
    tensor = net.tensor(operator, 0)
    x = net.image(operator, tensor)
    w = net.constant(operator, 1, WEIGHTS)
    if w.ndim != 4 or 0 in w.shape or x.channels % w.shape[3]:
        raise refuse(operator, f"its filter is {list(w.shape)}, its input {list(x.shape)}")
    return _convolution(net, operator, x, w, x.channels // w.shape[3])


def depthwise(net: Net, operator: Operator) -> str:
    """DEPTHWISE_CONV_2D: a filter (1, ky, kx, out), whose output o reads channel o // depth multiplier."""
    tensor = net.tensor(operator, 0)
    x = net.image(operator, tensor)
    w = net.constant(operator, 1, WEIGHTS)
    if w.ndim != 4 or w.shape[0] != 1 or 0 in w.shape or w.shape[3] % x.channels:
        raise refuse(operator, f"its filter is {list(w.shape)}, its input {list(x.shape)}")
    if tensor.type == "INT16" and net.tensor(operator, 1).type == "INT4":
        raise refuse(
            operator,
            "its input is INT16 and its filter INT4",
            "LiteRT reads such a filter as bytes; store its codes as INT8",
        )
    return _convolution(net, operator, x, w.transpose(3, 1, 2, 0), x.channels)


def _convolution(net: Net, operator: Operator, x: Value, w: np.ndarray, groups: int) -> str:
    """w (out, ky, kx, in / groups)."""
    tensor, filter = net.tensor(operator, 0), net.tensor(operator, 1)
    if (
        not filter.scales.size
        or filter.zeros.any()
        or (filter.scales.size > 1 and filter.shape[filter.axis] != len(w))
    ):
        raise refuse(operator, "its filter has a zero point, or scales along another axis than its outputs")
    bias = _bias(net, operator, w, tensor.zero)
    w = windows.dilated(operator, w)
    pad = windows.padding(operator, x, (w.shape[1], w.shape[2]))
    name = net.name(operator)
    op = Conv2d(
        name=name, inputs=(x.name,), weights=w.astype(np.int8), weight_type=weight_type(w), bias=bias,
        stride=windows.stride(operator), pad=pad, pad_value=tensor.zero if any(pad) else 0, groups=groups,
    )  # fmt: skip
    acc = net.add(op)
    return _rescaled(net, operator, acc, once=tensor.type == "INT16" and not _narrow(operator))


def _narrow(operator: Operator) -> bool:
    """Whether sums of int16 codes are kept in 32 bits."""
    return int(operator.options.get("QuantizedBiasType", 0)) == INT32


def fully_connected(net: Net, operator: Operator) -> str:
    """FULLY_CONNECTED: rows of inputs times a filter (out, in)."""
    tensor, filter = net.tensor(operator, 0), net.tensor(operator, 1)
    w = net.constant(operator, 1, WEIGHTS).astype(np.int64)
    if w.ndim != 2 or 0 in w.shape or int(operator.options.get("WeightsFormat", 0)):
        raise refuse(operator, f"its filter is {list(w.shape)}, or stored in an unknown order")
    if not filter.scales.size:
        raise refuse(operator, "its filter has no scale")
    if filter.scales.size == 1:
        w = w - int(filter.zeros[0])
    elif filter.zeros.any() or filter.axis != 0:
        raise refuse(operator, "its filter has zero points, or scales along another axis than its outputs")
    if w.min() < -128 or w.max() > 127:
        raise refuse(
            operator,
            "its weights minus their zero point need more than 8 bits",
            "quantize weights symmetrically",
        )
    rows = math.prod(tensor.shape) // w.shape[1]
    if rows * w.shape[1] != math.prod(tensor.shape) or rows < 1:
        raise refuse(operator, f"its filter is {list(w.shape)}, its input {list(tensor.shape)}")
    bias = _bias(net, operator, w, tensor.zero)
    codes, kind = w.astype(np.int8), weight_type(w)
    if rows == 1:
        x = net.shaped(operator, tensor, (w.shape[1],))
        acc = net.add(
            Dense(name=net.name(operator), inputs=(x.name,), weights=codes, weight_type=kind, bias=bias)
        )
    else:
        x = net.shaped(operator, tensor, (1, rows, w.shape[1]))
        acc = net.add(
            Conv2d(
                name=net.name(operator),
                inputs=(x.name,),
                weights=codes[:, None, None],
                weight_type=kind,
                bias=bias,
            )
        )
    out = net.output(operator)
    filters = np.broadcast_to(filter.scales, (len(w),)).astype(np.float64)
    factors = np.float64(tensor.scale) * filters / np.float64(out.scale)
    return _float(net, operator, acc, factors)


def _float(net: Net, operator: Operator, acc: Value, factors: Floats) -> str:
    """round(acc * factor), half away from zero, on float64 products."""
    out = net.output(operator)
    if float(np.abs(factors).max()) * max(abs(acc.lo), abs(acc.hi)) >= INT32_HI:
        raise refuse(operator, "its rescaled sums leave int32", "convert the model again")

    def codes(x: Ints, channels: slice) -> Ints:
        return half_away(x * factors[channels, None]).astype(np.int64)

    clamp = net.limits(operator, out)
    made = net.solve(operator, acc, codes, factors, (clamp[0] - out.zero, clamp[1] - out.zero))
    net.finish(operator, out, net.solved(operator, acc, made, out.zero, clamp))
    return FLOAT


def _rescaled(net: Net, operator: Operator, acc: Value, once: bool) -> str:
    tensor, filter, out = net.tensor(operator, 0), net.tensor(operator, 1), net.output(operator)
    factors = [
        quantized_multiplier(float(np.float64(tensor.scale) * np.float64(scale) / np.float64(out.scale)))
        for scale in filter.scales
    ]
    clamp = net.limits(operator, out)
    if not once:
        net.finish(operator, out, net.rescale(operator, acc, factors, clamp))
        return TWICE
    m, shift = np.broadcast_to(np.array(factors, np.int64).T, (2, acc.channels))
    reduced = np.where(m < 0x7FFF0000, (m + (1 << 15)) >> 16, 0x7FFF)
    if shift.max() > 14:
        raise refuse(operator, "its output scale is too small: the factor does not fit 16 bits")
    y = net.add(
        Requantize(
            name=net.name(operator), inputs=(acc.name,), m=reduced.astype(np.int32),
            b=np.zeros(acc.channels, np.int32), s=(15 - shift).astype(np.int32), zero=out.zero, lo=clamp[0],
            hi=clamp[1], rounding="half_up", type=f"int{out.bits}",
        )
    )  # fmt: skip
    net.finish(operator, out, y)
    return ONCE


def _bias(net: Net, operator: Operator, w: np.ndarray, zero: int) -> np.ndarray:
    """int32 (out,): the bias of the file minus zero * sum of weights."""
    given = net.optional(operator, 2)
    bias = np.zeros(len(w), np.int64)
    if given is not None:
        wide = net.tensor(operator, 0).type == "INT16" and not _narrow(operator)
        bias = net.constant(operator, 2, ("INT64",) if wide else ("INT32",)).astype(np.int64)
    if bias.shape != (len(w),):
        raise refuse(operator, f"its bias is {list(bias.shape)}, it has {len(w)} outputs")
    sums = w.reshape(len(w), -1).astype(np.int64).sum(axis=1)
    if np.abs(bias).max(initial=0) > INT32_HI or np.abs(bias - zero * sums).max(initial=0) > INT32_HI:
        raise refuse(operator, "its bias with the zero point folded in leaves int32")
    return (bias - zero * sums).astype(np.int32)


def weight_type(w: np.ndarray) -> str:
    """The narrowest type of weights that holds the codes."""
    lo, hi = int(w.min()), int(w.max())
    if lo >= -1 and hi <= 1:
        return "ternary" if not (w != 0).all() else "bipolar"
    return f"int{max((-lo - 1).bit_length(), hi.bit_length()) + 1}"
