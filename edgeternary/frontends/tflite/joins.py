"""ADD, SUB and MUL of two tensors, or of a tensor and a constant.

ADD, SUB   each operand times 2^20 (int16: 2^15) and a factor below 1, rounded twice; the sum times a factor,
           rounded twice. Of int8 codes an operand's part is a table of 256 entries.
MUL        the product of x - zero of both, rounded twice
"""

import math
from collections.abc import Callable

import numpy as np

from edgeternary.frontends.tflite.arithmetic import Floats, Ints, multiply, quantized_multiplier
from edgeternary.frontends.tflite.net import TWICE, Net, refuse
from edgeternary.frontends.tflite.records import Operator, Tensor
from edgeternary.frontends.tflite.sides import both_tables
from edgeternary.ir import Value, parse
from edgeternary.ops import Add, Mul, Requantize

LEFT = {8: 20, 16: 15}  # places that an operand is shifted left, by its bits


def add(net: Net, operator: Operator) -> str:
    """ADD and SUB."""
    out = net.output(operator)
    one, two = net.tensor(operator, 0), net.tensor(operator, 1)
    parts = _Parts.of(operator, one, two, out)
    if one.data is not None or two.data is not None:
        k, tensor = (1, two) if one.data is not None else (0, one)
        gain = float(tensor.scale) / float(out.scale) * (parts.sign if k else 1)
        y = _with_constant(
            net,
            operator,
            lambda a, b: parts.codes(parts.side(a, 0) + parts.side(b, 1)),
            lambda c: np.full(len(c), gain),
        )
    elif out.bits == 8:
        y = _tables(net, operator, parts)
    else:
        sides = [_scaled(net, operator, parts, k) for k in (0, 1)]
        y = parts.end(net, operator, _sum(net, operator, sides))
    net.finish(operator, out, y)
    return TWICE


class _Parts:
    """The numbers of an ADD or SUB."""

    def __init__(self, zeros: tuple[int, int], sides: list[tuple[int, int]], after: tuple[int, int]) -> None:
        self.zeros, self.sides, self.after = zeros, sides, after
        self.left, self.zero, self.sign = 20, 0, 1

    @staticmethod
    def of(operator: Operator, one: Tensor, two: Tensor, out: Tensor) -> "_Parts":
        if not one.type == two.type == out.type:
            raise refuse(operator, f"it adds {one.type} and {two.type} to {out.type}")
        if operator.options.get("PotScaleInt16") and out.bits == 16 and _powers(one, two, out):
            raise refuse(operator, "its int16 scales are powers of two, which has a rule of its own")
        left = LEFT[out.bits]
        twice = np.float64(np.float32(2) * max(one.scale, two.scale))
        sides = [quantized_multiplier(float(np.float64(t.scale) / twice)) for t in (one, two)]
        below = np.float64(np.float32(1 << left) * out.scale)
        after = quantized_multiplier(float(twice / below))
        if operator.type == "ADD" and twice / below >= 1:
            raise refuse(operator, "its output scale is below 2^-20 of its inputs'")
        found = _Parts((one.zero, two.zero), sides, after)
        found.left, found.zero, found.sign = left, out.zero, -1 if operator.type == "SUB" else 1
        return found

    def side(self, x: Ints, k: int) -> Ints:
        """The part of operand k, its sign included."""
        part = multiply((x - self.zeros[k]) << self.left, *self.sides[k])
        return part * self.sign if k else part

    def codes(self, total: Ints) -> Ints:
        """The output's codes before the zero point and the clamp."""
        return multiply(total, *self.after)

    def end(self, net: Net, operator: Operator, total: Value) -> Value:
        return net.rescale(operator, total, [self.after], net.limits(operator, net.output(operator)))


def _powers(*tensors: Tensor) -> bool:
    return all(math.frexp(float(t.scale))[0] == 0.5 for t in tensors)


def _operands(net: Net, operator: Operator) -> tuple[Value, Value]:
    """Both values in one shape."""
    one, two = net.tensor(operator, 0), net.tensor(operator, 1)
    a = net.value(operator, one)
    if math.prod(one.shape) != math.prod(two.shape) or one.shape != two.shape:
        raise refuse(
            operator,
            f"its inputs are {list(one.shape)} and {list(two.shape)}",
            "only a constant is spread over a tensor",
        )
    return a, net.shaped(operator, two, a.shape)


def _tables(net: Net, operator: Operator, parts: _Parts) -> Value:
    """Two tables, their sum, and a shift where that is right for all 65,536 pairs; else two roundings."""
    a, b = _operands(net, operator)
    clamp = net.limits(operator, net.output(operator))
    codes = np.arange(-128, 128, dtype=np.int64)
    sides = [parts.side(codes, 0), parts.side(codes, 1)]
    found = both_tables(sides, parts.after, parts.codes, (clamp[0] - parts.zero, clamp[1] - parts.zero))
    if found is not None:
        sides = found.tables
    tables = [net.table(operator, value, side, "int32") for value, side in zip((a, b), sides, strict=True)]
    total = _sum(net, operator, tables)
    if found is None:
        return parts.end(net, operator, total)
    ones = np.ones(total.channels, np.int32)
    return net.add(
        Requantize(
            name=net.name(operator), inputs=(total.name,), m=ones, b=ones * found.bias, s=ones * found.shift,
            zero=parts.zero, lo=clamp[0], hi=clamp[1], rounding="floor", type="int8",
        )
    )  # fmt: skip


def _sum(net: Net, operator: Operator, sides: list[Value]) -> Value:
    return net.add(Add(name=net.name(operator), inputs=(sides[0].name, sides[1].name)))


def _scaled(net: Net, operator: Operator, parts: _Parts, k: int) -> Value:
    """Operand k of int16, shifted left and rescaled to int32."""
    x = _operands(net, operator)[k]
    ones, wide = np.ones(x.channels, np.int32), parse("int32")
    shifted = net.add(
        Requantize(
            name=net.name(operator), inputs=(x.name,), m=ones << parts.left, b=ones * 0, s=ones * 0, zero=0,
            lo=wide.lo, hi=wide.hi, rounding="floor", type="int32",
        )
    )  # fmt: skip
    m, shift = parts.sides[k]
    part = net.add(
        Requantize(
            name=net.name(operator), inputs=(shifted.name,), m=ones * m, b=ones * 0, s=ones * (31 - shift),
            zero=0, lo=wide.lo, hi=wide.hi, rounding="tflite_double", type="int32",
        )
    )  # fmt: skip
    if k == 0 or parts.sign > 0:
        return part
    return net.add(
        Requantize(
            name=net.name(operator), inputs=(part.name,), m=-ones, b=ones * 0, s=ones * 0, zero=0,
            lo=-part.hi, hi=-part.lo, rounding="floor", type="int32",
        )
    )  # fmt: skip


def mul(net: Net, operator: Operator) -> str:
    """MUL."""
    one, two, out = net.tensor(operator, 0), net.tensor(operator, 1), net.output(operator)
    if not one.type == two.type == out.type:
        raise refuse(operator, f"it multiplies {one.type} and {two.type} to {out.type}")
    factor = quantized_multiplier(float(one.scale * two.scale / out.scale))
    if one.data is not None or two.data is not None:

        def product(a: Ints, b: Ints) -> Ints:
            return multiply((a - one.zero) * (b - two.zero), *factor)

        zero = (one if one.data is not None else two).zero
        scale = factor[0] * 2.0 ** (factor[1] - 31)
        y = _with_constant(net, operator, product, lambda c: (c - zero).astype(np.float64) * scale)
    else:
        a, b = _operands(net, operator)
        sides = net.minus(operator, a, one.zero), net.minus(operator, b, two.zero)
        both = net.add(Mul(name=net.name(operator), inputs=tuple(side.name for side in sides)))
        y = net.rescale(operator, both, [factor], net.limits(operator, out))
    net.finish(operator, out, y)
    return TWICE


def _with_constant(
    net: Net, operator: Operator, f: Callable[[Ints, Ints], Ints], slope: Callable[[Ints], Floats]
) -> Value:
    """f(first, second) where one of them is a constant: one number, or one for each channel.

    slope  of f in the other one, for each constant
    """
    one, two = net.tensor(operator, 0), net.tensor(operator, 1)
    if one.data is not None and two.data is not None:
        raise refuse(
            operator, "both of its inputs are constants", "convert the model again, constants folded"
        )
    tensor, fixed = (two, one) if one.data is not None else (one, two)
    value, out = net.value(operator, tensor), net.output(operator)
    numbers = np.asarray(fixed.data).astype(np.int64)
    channels = tensor.shape[-1] if tensor.shape else 1
    if math.prod(out.shape) != value.size or numbers.size not in (1, channels, value.size):
        raise refuse(operator, f"a constant {list(numbers.shape)} is not spread over {list(tensor.shape)}")
    if numbers.size == channels and numbers.size > 1 and numbers.shape[-1] != channels:
        raise refuse(operator, f"a constant {list(numbers.shape)} is not spread over {list(tensor.shape)}")
    flat = (value.size,) if numbers.size == value.size else (value.size // channels, channels)
    which, back = np.unique(numbers.reshape(-1), return_inverse=True)

    def codes(x: Ints, channels: slice) -> Ints:
        c = which[channels, None] + 0 * x
        return f(c, x) if one.data is not None else f(x, c)

    x = value if value.shape == flat else net.reshape(operator, value, flat)
    clamp = net.limits(operator, out)
    made = net.solve(operator, x, codes, slope(which), (clamp[0] - out.zero, clamp[1] - out.zero))
    y = net.solved(operator, x, made.at(back), out.zero, clamp)
    return net.reshape(operator, y, value.shape) if y.shape != value.shape else y
