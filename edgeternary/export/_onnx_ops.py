"""How each op is written in standard ONNX operators on integers: one function a kind, found in LOWER.

A function takes (builder, op, ins, *tensors): the op, its input values, and the int32 tensors (N, *shape)
that hold them. It returns the int32 tensor (N, *shape) of the output.
"""

from collections.abc import Callable, Sequence

import numpy as np

from edgeternary.export._onnx_builder import INT8, INT32, INT64, UINT8, Builder
from edgeternary.ir import Op, Value, parse
from edgeternary.ops import (
    Add,
    Argmax,
    Compare,
    Concat,
    Conv2d,
    Dense,
    Gather,
    GroupCount,
    Lookup,
    Lut,
    MaxPool,
    Mul,
    Requantize,
    Reshape,
    RmsNorm,
    Shift,
    Slice,
    SumPool,
    Threshold,
    Upsample,
)
from edgeternary.ops import rms_norm as norm
from edgeternary.ops.window import output_size

# Without VNNI, x86 kernels add two uint8 * int8 products in a saturating int16: 2 * 255 * 64 still fits.
MAX_OCTET_WEIGHT = 64
OCTETS: dict[int, tuple[int, int]] = {UINT8: (0, 255), INT8: (-128, 127)}


def octets(lo: int, hi: int, weights: np.ndarray) -> int | None:
    """UINT8 or INT8 when 8-bit operators are exact for inputs in [lo, hi] and these weights, else None."""
    if int(np.abs(weights.astype(np.int32)).max()) > MAX_OCTET_WEIGHT:
        return None
    fitting = [kind for kind, (least, most) in OCTETS.items() if least <= lo and hi <= most]
    return fitting[0] if fitting else None


def dense(b: Builder, op: Dense, ins: Sequence[Value], x: str) -> str:
    """MatMulInteger for 8-bit operands, else MatMul on int32; then the bias."""
    octet = octets(ins[0].lo, ins[0].hi, op.weights)
    if octet is None:
        product = b.add("MatMul", x, b.const(op.weights.T))
    else:
        product = b.add("MatMulInteger", b.cast(x, octet), b.const(op.weights.T, "int8"))
    return b.add("Add", product, b.const(op.bias))


def conv2d(b: Builder, op: Conv2d, ins: Sequence[Value], x: str) -> str:
    """Pad, then ConvInteger in NCHW for 8-bit operands, else one int32 MatMul for each tap of the kernel."""
    padded = b.pad(x, op.pad, b.const(op.pad_value))
    height, width = output_size(op, ins[0], op.kernel, op.stride, op.pad)
    pads = [op.pad_value] if any(op.pad) else []
    octet = octets(min([ins[0].lo, *pads]), max([ins[0].hi, *pads]), op.weights)
    if octet is not None:
        image = b.add("Transpose", b.cast(padded, octet), perm=[0, 3, 1, 2])
        weights = b.const(op.weights.transpose(0, 3, 1, 2), "int8")
        sums = b.add("ConvInteger", image, weights, group=op.groups, strides=list(op.stride))
        total = b.add("Transpose", sums, perm=[0, 2, 3, 1])
    else:
        products = []
        for ky in range(op.kernel[0]):
            rows = b.window(padded, 1, ky, height, op.stride[0])
            for kx in range(op.kernel[1]):
                pixels = b.window(rows, 2, kx, width, op.stride[1])
                products.append(b.add("MatMul", pixels, b.const(_ungrouped(op)[ky, kx])))
        total = b.chain("Add", products)
    return b.add("Add", total, b.const(op.bias))


def _ungrouped(op: Conv2d) -> np.ndarray:
    """Weights as (ky, kx, in, out) with zeros between different groups."""
    out, ky, kx, ins = op.weights.shape
    full = np.zeros((ky, kx, ins * op.groups, out), np.int32)
    for o in range(out):
        first = o // (out // op.groups) * ins
        full[:, :, first : first + ins, o] = op.weights[o]
    return full


def threshold(b: Builder, op: Threshold, ins: Sequence[Value], x: str) -> str:
    """base + step * ReduceSum over k of (x >= t[c, k])."""
    wide = b.add("Unsqueeze", x, b.const([-1], "int64"))
    reached = b.cast(b.add("GreaterOrEqual", wide, b.const(op.t)), INT32)
    count = b.add("ReduceSum", reached, b.const([-1], "int64"), keepdims=0)
    return b.add("Add", b.add("Mul", count, b.const(op.step)), b.const(op.base))


def requantize(b: Builder, op: Requantize, ins: Sequence[Value], x: str) -> str:
    """Everything in int64, shifts as floor divisions by powers of two."""
    wide, s = b.cast(x, INT64), op.s.astype(np.int64)
    if op.rounding == "tflite_double":
        rounded = _tflite_double(b, op, s, wide)
    else:
        half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (op.rounding != "floor")
        acc = b.add("Mul", wide, b.const(op.m, "int64"))
        acc = b.add("Add", acc, b.const(op.b.astype(np.int64) + half, "int64"))
        rounded = b.floor_divide(acc, b.const(np.int64(1) << s, "int64"))
    shifted = b.add("Add", rounded, b.const(op.zero, "int64"))
    return b.cast(b.add("Clip", shifted, b.const(op.lo, "int64"), b.const(op.hi, "int64")), INT32)


def _tflite_double(b: Builder, op: Requantize, s: np.ndarray, wide: str) -> str:
    """floor((x * 2^left * m + 2^30) / 2^31), then sign * floor((|v| + half) / 2^right): half away from zero.

    TFLite's saturating doubling high product is the first: its nudge of 1 - 2^30 and truncation round the
    negative ties up, as the floor does.
    """
    left, right = np.maximum(31 - s, 0), np.maximum(s - 31, 0)
    product = b.add("Mul", wide, b.const(op.m.astype(np.int64) << left, "int64"))
    nudged = b.add("Add", product, b.const(1 << 30, "int64"))
    high = b.floor_divide(nudged, b.const(1 << 31, "int64"))
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    size = b.add("Add", b.add("Abs", high), b.const(half, "int64"))
    size = b.floor_divide(size, b.const(np.int64(1) << right, "int64"))
    return b.add("Mul", size, b.add("Sign", high))


def lookup(b: Builder, op: Lookup, ins: Sequence[Value], x: str) -> str:
    """Gather from the table; ONNX would read a negative index from the end, but none can occur."""
    index = b.add("Sub", x, b.const(op.offset)) if op.offset else x
    return b.add("Gather", b.const(op.table), index, axis=0)


def gather(b: Builder, op: Gather, ins: Sequence[Value], x: str) -> str:
    rows = b.add("Gather", b.const(op.table.astype(np.int32)), x, axis=0)
    return b.add("Squeeze", rows, b.const([1], "int64"))


def add(b: Builder, op: Add, ins: Sequence[Value], x: str, y: str) -> str:
    return b.add("Add", x, y)


def mul(b: Builder, op: Mul, ins: Sequence[Value], x: str, y: str) -> str:
    return b.add("Mul", x, y)


def max_pool(b: Builder, op: MaxPool, ins: Sequence[Value], x: str) -> str:
    """Maxima and minima along y, then x (ONNX's MaxPool takes no int32); Where chooses by channel."""

    def pooled(join: str, neutral: int) -> str:
        return _pool(b, op, ins[0], b.pad(x, op.pad, b.const(neutral)), join)

    if not np.any(op.minimum):
        return pooled("Max", ins[0].lo)
    if np.all(op.minimum):
        return pooled("Min", ins[0].hi)
    return b.add("Where", b.const(op.minimum, "bool"), pooled("Min", ins[0].hi), pooled("Max", ins[0].lo))


def sum_pool(b: Builder, op: SumPool, ins: Sequence[Value], x: str) -> str:
    return _pool(b, op, ins[0], x, "Add")


def _pool(b: Builder, op: MaxPool | SumPool, x: Value, padded: str, join: str) -> str:
    pad = op.pad if isinstance(op, MaxPool) else (0, 0, 0, 0)
    height, width = output_size(op, x, op.kernel, op.stride, pad)
    rows = b.fold(padded, 1, op.kernel[0], height, op.stride[0], join)
    return b.fold(rows, 2, op.kernel[1], width, op.stride[1], join)


def reshape(b: Builder, op: Reshape, ins: Sequence[Value], x: str) -> str:
    return b.add("Reshape", x, b.const([0, *op.shape], "int64"))


def concat(b: Builder, op: Concat, ins: Sequence[Value], *xs: str) -> str:
    return b.add("Concat", *xs, axis=-1)


def shift(b: Builder, op: Shift, ins: Sequence[Value], x: str, y: str) -> str:
    new, channels = ins[1].channels, ins[0].channels
    ends = (b.const([n], "int64") for n in (new, new + channels, -1))
    return b.add("Slice", b.add("Concat", x, y, axis=-1), *ends)


def slice_(b: Builder, op: Slice, ins: Sequence[Value], x: str) -> str:
    ends = (b.const([n], "int64") for n in (op.start, op.stop, -1))
    return b.add("Slice", x, *ends)


def upsample(b: Builder, op: Upsample, ins: Sequence[Value], x: str) -> str:
    """(N, H, 1, W, 1, C), of whose axes of size 1 the first element is x and the others copies or zeros."""
    height, width, channels = ins[0].shape
    fy, fx = op.factor
    split = b.add("Reshape", x, b.const([0, height, 1, width, 1, channels], "int64"))
    if op.fill == "repeat":
        wide = b.add("Tile", split, b.const([1, 1, fy, 1, fx, 1], "int64"))
    else:
        wide = b.add("Pad", split, b.const([*[0] * 8, fy - 1, 0, fx - 1, 0], "int64"), b.const(0))
    return b.add("Reshape", wide, b.const([0, height * fy, width * fx, channels], "int64"))


def rms_norm(b: Builder, op: RmsNorm, ins: Sequence[Value], x: str) -> str:
    """In int64: h by comparisons with all its borders, r bit by bit, shifts as floor divisions."""
    wide = b.cast(x, INT64)
    total = b.add("ReduceSum", b.add("Mul", wide, wide), b.const([-1], "int64"), keepdims=1)
    total = b.add("Max", total, b.const(1, "int64"))
    steps = np.arange(norm.LEAST_H, norm.MOST_H)
    reached = b.cast(b.add("GreaterOrEqual", total, b.const(np.int64(1) << (16 + 2 * steps), "int64")), INT64)
    h = b.add("ReduceSum", reached, b.const([-1], "int64"), keepdims=1)  # counted from LEAST_H
    powers = np.arange(len(steps) + 1)
    divisor = b.add("Gather", b.const(np.int64(1) << 2 * powers, "int64"), h, axis=0)
    scaled = b.add("Mul", total, b.const(1 << -2 * norm.LEAST_H, "int64"))
    f = b.floor_divide(scaled, divisor)
    r = b.const(0, "int64")
    for bit in reversed(range(norm.BITS)):
        tried = b.add("Add", r, b.const(1 << bit, "int64"))
        square = b.add("Mul", b.add("Mul", tried, tried), f)
        fits = b.add("Less", square, b.const(1 << norm.TARGET, "int64"))
        r = b.add("Where", fits, tried, r)
    shift = b.add("Gather", b.const(np.int64(1) << (powers + norm.LEAST_H + 8), "int64"), h, axis=0)
    y = b.floor_divide(b.add("Mul", wide, r), shift)
    return b.cast(b.add("Clip", y, b.const(-norm.TOP, "int64"), b.const(norm.TOP, "int64")), INT32)


def argmax(b: Builder, op: Argmax, ins: Sequence[Value], x: str) -> str:
    return b.cast(b.add("ArgMax", x, axis=1, keepdims=1, select_last_index=0), INT32)


def compare(b: Builder, op: Compare, ins: Sequence[Value], x: str) -> str:
    """Gather the channels, then GreaterOrEqual."""
    numbers = b.add("Gather", x, b.const(op.source, "int64"), axis=-1)
    return _codes(b, b.add("GreaterOrEqual", numbers, b.const(op.t)), op.type)


def _codes(b: Builder, bits: str, type: str) -> str:
    t = parse(type)
    return b.add("Where", bits, b.const(t.hi), b.const(t.lo))


def _bits(b: Builder, x: str, to: int) -> str:
    """1 where a bit is set, else 0."""
    return b.cast(b.add("Greater", x, b.const(0)), to)


def lut(b: Builder, op: Lut, ins: Sequence[Value], x: str) -> str:
    """The address of an entry is the sum over k of 2^k times the bit at pin k; all tables are one array."""
    bits = _bits(b, x, INT32)
    if len(ins[0].shape) == 3:
        height, width = output_size(op, ins[0], op.kernel, op.stride, op.pad)
        padded, taps = b.pad(bits, op.pad, b.const(0)), []
        for ky in range(op.kernel[0]):
            rows = b.window(padded, 1, ky, height, op.stride[0])
            taps += [b.window(rows, 2, kx, width, op.stride[1]) for kx in range(op.kernel[1])]
        bits = b.add("Concat", *taps, axis=-1)
    wiring, tables = op.all_pins()
    address = b.const(np.arange(len(tables)) * tables.shape[1])
    for k, pins in enumerate(wiring.T):
        bit = b.add("Gather", bits, b.const(pins, "int64"), axis=-1)
        address = b.add("Add", address, b.add("Mul", bit, b.const(1 << k)))
    return b.add("Gather", b.const(tables.reshape(-1)), address, axis=0)


def group_count(b: Builder, op: GroupCount, ins: Sequence[Value], x: str) -> str:
    """A product with a matrix of 0 and 1."""
    group = np.repeat(np.arange(len(op.ends)), op.sizes)
    members = (group[:, None] == np.arange(len(op.ends))).astype(np.int8)
    count = b.add("MatMulInteger", _bits(b, x, UINT8), b.const(members, "int8"))
    return b.add("Add", count, b.const(op.bias))


LOWER: dict[type[Op], Callable[..., str]] = {
    Add: add,
    Argmax: argmax,
    Compare: compare,
    Concat: concat,
    Conv2d: conv2d,
    Dense: dense,
    Gather: gather,
    GroupCount: group_count,
    Lut: lut,
    Lookup: lookup,
    MaxPool: max_pool,
    Mul: mul,
    Requantize: requantize,
    Reshape: reshape,
    RmsNorm: rms_norm,
    Shift: shift,
    Slice: slice_,
    SumPool: sum_pool,
    Threshold: threshold,
    Upsample: upsample,
}
