"""How each op is written in QONNX: float tensors (N, C, H, W) or (N, C) that hold integers, and quantisers.

A function takes (builder, op, ins, *tensors) and returns the tensor of the output. Floats hold integers up
to 2^24; a layer whose sums can be larger is refused.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.export._onnx_builder import INT64, Builder
from edgeternary.export._staircase import staircase
from edgeternary.ir import Op, Value, parse
from edgeternary.ir.types import Type
from edgeternary.ops import (
    Add,
    Argmax,
    Concat,
    Conv2d,
    Dense,
    Lookup,
    MaxPool,
    Mul,
    Requantize,
    Reshape,
    Slice,
    SumPool,
    Threshold,
    Upsample,
)
from edgeternary.ops.accumulate import accumulator_bound
from edgeternary.passes.steps import Steps, bisect

DOMAIN = "qonnx.custom_op.general"
EXACT = 1 << 24  # float32 holds every integer up to here
MOST_LEVELS = 255
Floats = NDArray[np.float32]


def refused(
    op: Op, why: str, remedy: str = "export it as onnx, which has integer operators"
) -> EdgeTernaryError:
    """The error for a layer that has no exact form."""
    return EdgeTernaryError(f"{op.kind} layer {op.name!r} cannot be written as QONNX", why, remedy)


def quantised(b: Builder, tensor: str, type: Type) -> str:
    """A quantiser of scale 1 whose codes are those of `type`."""
    one = b.const(1.0, "float32")
    if type.name == "bipolar":
        return b.add("BipolarQuant", tensor, one, domain=DOMAIN)
    bits = {"binary": 1, "ternary": 2}.get(type.name, type.bits)
    zero, width = b.const(0.0, "float32"), b.const(float(bits), "float32")
    return b.add(
        "Quant", tensor, one, zero, width,
        domain=DOMAIN, signed=int(type.signed), narrow=int(type.name == "ternary"), rounding_mode="ROUND",
    )  # fmt: skip


def _weights(b: Builder, array: np.ndarray, type: str) -> str:
    return quantised(b, b.const(array, "float32"), parse(type))


def _check_sums(op: Conv2d | Dense, x: Value, edge: int = 0) -> None:
    peak = max(abs(x.lo), abs(x.hi), abs(edge))
    bound = accumulator_bound(op.weights, -peak, peak) + int(np.abs(op.bias.astype(np.int64)).max())
    if bound > EXACT:
        raise refused(op, f"its sums can reach {bound:,}, and float32 holds integers up to 2^24")


def _channels(array: np.ndarray, x: Value) -> Floats:
    """One number for each channel, to be broadcast to the tensor of `x`."""
    return array.astype(np.float32).reshape(1, -1, *[1] * (len(x.shape) - 1))


def dense(b: Builder, op: Dense, ins: Sequence[Value], x: str) -> str:
    _check_sums(op, ins[0])
    return b.add(
        "Add", b.add("MatMul", x, _weights(b, op.weights.T, op.weight_type)), b.const(op.bias, "float32")
    )


def conv2d(b: Builder, op: Conv2d, ins: Sequence[Value], x: str) -> str:
    _check_sums(op, ins[0], op.pad_value if any(op.pad) else 0)
    pads = list(op.pad)
    if any(op.pad) and op.pad_value:
        ends = b.const([0, 0, *op.pad[:2], 0, 0, *op.pad[2:]], "int64")
        x, pads = b.add("Pad", x, ends, b.const(float(op.pad_value), "float32")), [0] * 4
    weights = _weights(b, op.weights.transpose(0, 3, 1, 2), op.weight_type)
    sums = b.add(
        "Conv", x, weights,
        group=op.groups, strides=list(op.stride), pads=pads, kernel_shape=list(op.kernel),
    )  # fmt: skip
    return b.add("Add", sums, b.const(op.bias.reshape(1, -1, 1, 1), "float32"))


def sum_pool(b: Builder, op: SumPool, ins: Sequence[Value], x: str) -> str:
    """A depthwise convolution with ones: an average times its count would round."""
    channels = ins[0].channels
    taps = op.kernel[0] * op.kernel[1]
    if taps * max(abs(ins[0].lo), abs(ins[0].hi)) > EXACT:
        raise refused(op, "its sums exceed 2^24, which float32 does not hold exactly")
    ones = _weights(b, np.ones((channels, 1, *op.kernel)), "int2")
    return b.add("Conv", x, ones, group=channels, strides=list(op.stride), kernel_shape=list(op.kernel))


def max_pool(b: Builder, op: MaxPool, ins: Sequence[Value], x: str) -> str:
    """MaxPool; channels with a minimum are negated before it and afterwards, then a quantiser makes codes."""
    signs = np.where(np.asarray(op.minimum, bool), -1, 1)
    sign = b.const(_channels(signs, ins[0]), "float32") if np.any(signs < 0) else ""
    x = b.add("Mul", x, sign) if sign else x
    y = b.add("MaxPool", x, kernel_shape=list(op.kernel), strides=list(op.stride), pads=list(op.pad))
    if not sign:
        return y
    y = b.add("Mul", y, sign)
    return quantised(b, y, ins[0].type) if ins[0].type.bits <= 8 else y


def threshold(b: Builder, op: Threshold, ins: Sequence[Value], x: str) -> str:
    return _counted(b, op, ins[0], x, Steps(op.t, op.base, op.step))


def requantize(b: Builder, op: Requantize, ins: Sequence[Value], x: str) -> str:
    """Thresholds of the same function: a product of int32 is more than float32 holds."""
    (given,) = ins
    if op.hi - op.lo > MOST_LEVELS:
        raise refused(op, f"it has {op.hi - op.lo + 1:,} levels, and {MOST_LEVELS + 1} is the most")
    lo = op.lo if op.lo < op.hi else op.lo - 1
    found = bisect(lambda v: op._apply(v.T).T, given.lo, given.hi, np.arange(lo, op.hi + 1), op.name)
    return _counted(b, op, given, x, found)


def _counted(b: Builder, op: Threshold | Requantize, given: Value, x: str, found: Steps) -> str:
    """lo + gap * count(sign * x >= t): channels that fall are negated before the node."""
    if max(abs(given.lo), abs(given.hi) + 1) > EXACT:
        raise refused(op, "its input exceeds 2^24, which float32 does not hold exactly")
    out = parse(op.type)
    gap = 2 if out.name == "bipolar" else 1
    lo, levels = (out.lo, (out.hi - out.lo) // gap) if out.bits <= 8 else (0, 0)
    if not levels:
        raise refused(op, f"its codes are {out}, and {MOST_LEVELS + 1} levels are the most")
    rows = [
        staircase(int(base - lo) // gap, int(step) // gap, t.astype(np.int64), levels, given.lo, given.hi)
        for t, base, step in zip(found.t, found.base, found.step, strict=True)
    ]
    signs = np.array([row.sign for row in rows])
    if np.any(signs < 0):
        x = b.add("Mul", x, b.const(_channels(signs, given), "float32"))
    return b.add(
        "MultiThreshold", x, b.const(np.stack([row.t for row in rows]), "float32"), domain=DOMAIN,
        out_dtype=_datatype(out), out_scale=float(gap), out_bias=float(lo),
        data_layout="NCHW" if len(given.shape) == 3 else "NC",
    )  # fmt: skip


def _datatype(type: Type) -> str:
    """The name of QONNX for `type`."""
    return {"bipolar": "BIPOLAR", "binary": "BINARY", "ternary": "TERNARY"}.get(type.name, type.name.upper())


def lookup(b: Builder, op: Lookup, ins: Sequence[Value], x: str) -> str:
    """Gather with the code as an integer index."""
    if op.offset:
        x = b.add("Sub", x, b.const(float(op.offset), "float32"))
    return b.add("Gather", b.const(op.table, "float32"), b.cast(x, INT64), axis=0)


def add(b: Builder, op: Add, ins: Sequence[Value], x: str, y: str) -> str:
    return b.add("Add", x, y)


def mul(b: Builder, op: Mul, ins: Sequence[Value], x: str, y: str) -> str:
    if max(abs(v) for v in (ins[0].lo, ins[0].hi)) * max(abs(v) for v in (ins[1].lo, ins[1].hi)) > EXACT:
        raise refused(op, "its products exceed 2^24, which float32 does not hold exactly")
    return b.add("Mul", x, y)


def reshape(b: Builder, op: Reshape, ins: Sequence[Value], x: str) -> str:
    """Through the order (N, H, W, C), which the graph's reshape is in."""
    if len(ins[0].shape) == 3:
        x = b.add("Transpose", x, perm=[0, 2, 3, 1])
    y = b.add("Reshape", x, b.const([0, *op.shape], "int64"))
    return b.add("Transpose", y, perm=[0, 3, 1, 2]) if len(op.shape) == 3 else y


def concat(b: Builder, op: Concat, ins: Sequence[Value], *xs: str) -> str:
    return b.add("Concat", *xs, axis=1)


def slice_(b: Builder, op: Slice, ins: Sequence[Value], x: str) -> str:
    return b.add("Slice", x, *(b.const([n], "int64") for n in (op.start, op.stop, 1)))


def upsample(b: Builder, op: Upsample, ins: Sequence[Value], x: str) -> str:
    if op.fill != "repeat":
        raise refused(op, "it writes zeros between pixels, which Resize does not")
    scales = b.const([1.0, 1.0, *map(float, op.factor)], "float32")
    return b.add(
        "Resize", x, "", scales, mode="nearest", nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )  # fmt: skip


def argmax(b: Builder, op: Argmax, ins: Sequence[Value], x: str) -> str:
    return b.add("Cast", b.add("ArgMax", x, axis=1, keepdims=1, select_last_index=0), to=1)


LOWER: dict[type[Op], Callable[..., str]] = {
    Add: add,
    Argmax: argmax,
    Concat: concat,
    Conv2d: conv2d,
    Dense: dense,
    Lookup: lookup,
    MaxPool: max_pool,
    Mul: mul,
    Requantize: requantize,
    Reshape: reshape,
    Slice: slice_,
    SumPool: sum_pool,
    Threshold: threshold,
    Upsample: upsample,
}
