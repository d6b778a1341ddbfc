"""The graph while it is made: ops so far, and which value each tensor of the file has become."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.tflite.arithmetic import Ints, half_away
from edgeternary.frontends.tflite.records import INTEGERS, Model, Operator, Tensor
from edgeternary.ir import Op, Value, smallest
from edgeternary.ops import Add, Lookup, Requantize, Reshape, Threshold
from edgeternary.passes.rounded import Function, Rounded, rounded

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
FARTHEST = 2.0**30  # of a code from its zero point
LIMITS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0),
}  # fmt: skip
MOST_LEVELS = 255  # of a threshold
TWICE = "rounds twice: doubling high product, then half away from zero"


class Missing(Exception):
    """An input comes from an operator that was refused; that one is reported."""


def refuse(operator: Operator, why: str, remedy: str = "") -> EdgeTernaryError:
    """The error to raise: `raise refuse(...)`."""
    return EdgeTernaryError(f"{operator.type} cannot be kept", why, remedy)


@dataclass
class Net:
    """The ops so far.

    values   of the graph, by name
    made     name of the value of each tensor of the file that has one
    lost     tensors that a refused operator would have made
    """

    model: Model
    ops: list[Op] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    made: dict[int, str] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)

    def tensor(self, operator: Operator, position: int) -> Tensor:
        """The operator's input at `position`; EdgeTernaryError where it has none."""
        found = self.optional(operator, position)
        if found is None:
            raise refuse(operator, f"its input {position} is missing")
        return found

    def optional(self, operator: Operator, position: int) -> Tensor | None:
        if position >= len(operator.inputs) or operator.inputs[position] < 0:
            return None
        return self.model.tensors[operator.inputs[position]]

    def output(self, operator: Operator) -> Tensor:
        """The one output."""
        if len(operator.outputs) != 1:
            raise refuse(operator, f"it has {len(operator.outputs)} outputs")
        return self.model.tensors[operator.outputs[0]]

    def constant(self, operator: Operator, position: int, types: Sequence[str]) -> np.ndarray:
        """The content of an input that must be a constant of one of `types`."""
        tensor = self.tensor(operator, position)
        if tensor.data is None or tensor.type not in types:
            kind = "is computed" if tensor.data is None else f"is {tensor.type}"
            raise refuse(
                operator, f"{tensor.name!r} {kind}", f"it must be a constant of {' or '.join(types)}"
            )
        return tensor.data

    def value(self, operator: Operator, tensor: Tensor) -> Value:
        """The value that a tensor has become."""
        name = self.made.get(tensor.index)
        if tensor.index in self.lost:
            raise Missing
        if name is None:
            what = "a constant" if tensor.data is not None else "not computed before"
            raise refuse(operator, f"its input {tensor.name!r} is {what}")
        return self.values[name]

    def shaped(self, operator: Operator, tensor: Tensor, shape: tuple[int, ...]) -> Value:
        """The value of a tensor in a shape of as many elements."""
        value = self.value(operator, tensor)
        return value if value.shape == shape else self.reshape(operator, value, shape)

    def reshape(self, operator: Operator, value: Value, shape: tuple[int, ...]) -> Value:
        if not 1 <= len(shape) <= 4 or math.prod(shape) != value.size:
            raise refuse(operator, f"{list(value.shape)} does not become {list(shape)}")
        return self.add(Reshape(name=self.name(operator), inputs=(value.name,), shape=shape))

    def image(self, operator: Operator, tensor: Tensor) -> Value:
        """The value of a tensor (1, H, W, C) as (H, W, C)."""
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            raise refuse(
                operator,
                f"its input {tensor.name!r} has the shape {list(tensor.shape)}",
                "give a batch of one map: (1, height, width, channels)",
            )
        return self.shaped(operator, tensor, tensor.shape[1:])

    def name(self, operator: Operator) -> str:
        """A free name for an op that an operator becomes."""
        base = f"op{operator.index}_{operator.type.split()[0].lower()}"[:60]
        name, number = base, 2
        while name in self.values:
            name, number = f"{base}_{number}", number + 1
        return name

    def add(self, op: Op) -> Value:
        """Appends an op, after the checks of its fields."""
        value = op.infer([self.values[name] for name in op.inputs])
        value.check()
        self.ops.append(op)
        self.values[op.name] = value
        return value

    def finish(self, operator: Operator, tensor: Tensor, value: Value) -> None:
        """`value` is what `tensor` becomes; EdgeTernaryError where that is not what the file says."""
        if tensor.type in INTEGERS and value.size != math.prod(tensor.shape):
            raise refuse(
                operator,
                f"it makes {list(value.shape)}, the file says {list(tensor.shape)}",
                "convert the model again: its shapes do not fit its options",
            )
        lo, hi = tensor.ends
        if value.lo < lo or value.hi > hi:
            raise refuse(operator, f"it makes [{value.lo}, {value.hi}], {tensor.name!r} is {tensor.type}")
        self.made[tensor.index] = value.name

    # what several operators end in

    def limits(self, operator: Operator, tensor: Tensor) -> tuple[int, int]:
        """The clamp of the operator's fused activation, in codes of its output."""
        lo, hi = tensor.ends
        name = activation(operator)
        low, high = LIMITS[name]
        if low is not None:
            lo = max(lo, quantized(tensor, low))
        if high is not None:
            hi = min(hi, quantized(tensor, high))
        if lo > hi:
            raise refuse(operator, f"no code of {tensor.name!r} is within its {name}")
        return lo, hi

    def rescale(
        self, operator: Operator, value: Value, factors: Sequence[tuple[int, int]], clamp: tuple[int, int]
    ) -> Value:
        """Values times (m, shift) of each channel, or of all, rounded twice, and the output's zero point."""
        tensor = self.output(operator)
        m, shift = np.broadcast_to(np.array(factors, np.int64).T[..., :], (2, value.channels))
        if shift.max() > 31 or m.min() < 0:
            raise refuse(operator, "its output scale is too small: the factor does not fit 32 bits")
        return self.add(
            Requantize(
                name=self.name(operator), inputs=(value.name,), m=m.astype(np.int32),
                b=np.zeros(value.channels, np.int32), s=(31 - shift).astype(np.int32), zero=tensor.zero,
                lo=clamp[0], hi=clamp[1], rounding="tflite_double", type=f"int{tensor.bits}",
            )
        )  # fmt: skip

    def solve(
        self, operator: Operator, value: Value, f: Function, gain: NDArray[np.float64], ends: tuple[int, int]
    ) -> Rounded:
        """Multipliers that give f within `ends` on the whole interval of `value`; see `passes.rounded`."""
        made = rounded(f, gain, (value.lo, value.hi), ends)
        if made is None:
            raise refuse(
                operator,
                "no integer multiplier of 31 bits gives all of its codes",
                "convert the model again with other scales, or report this file",
            )
        return made

    def solved(
        self, operator: Operator, value: Value, made: Rounded, zero: int, clamp: tuple[int, int]
    ) -> Value:
        """The requantize of `solve`'s numbers; what they give plus `zero` is a code of the output."""
        fields = [np.broadcast_to(a, (value.channels,)).copy() for a in (made.m, made.b, made.s)]
        out = self.output(operator)
        y = self.add(
            Requantize(
                name=self.name(operator), inputs=(value.name,), m=fields[0], b=fields[1], s=fields[2],
                zero=zero, lo=clamp[0], hi=clamp[1], rounding="half_up", type=f"int{out.bits}",
            )
        )  # fmt: skip
        if not made.right.shape[1]:
            return y
        for start in range(0, made.right.shape[1], MOST_LEVELS):
            for places, sign in ((made.right, made.sign), (made.wrong, -made.sign)):
                count = self._counted(operator, value, places[:, start : start + MOST_LEVELS], sign)
                y = self.add(Add(name=self.name(operator), inputs=(y.name, count.name)))
        return self.shifted(operator, y, 0, clamp, f"int{out.bits}")

    def _counted(self, operator: Operator, value: Value, places: Ints, sign: NDArray[np.int32]) -> Value:
        """sign * #{x >= places}, of each channel or of all."""
        t = np.broadcast_to(places, (value.channels, places.shape[1])).astype(np.int32)
        step = np.broadcast_to(sign, (value.channels,)).copy()
        return self.add(
            Threshold(
                name=self.name(operator), inputs=(value.name,), t=t, base=0 * step, step=step, type="int9"
            )
        )

    def clamped(self, operator: Operator, value: Value, clamp: tuple[int, int]) -> Value:
        """The codes within the clamp."""
        if clamp[0] <= value.lo and value.hi <= clamp[1]:
            return value
        return self.shifted(operator, value, 0, clamp, value.type.name)

    def shifted(self, operator: Operator, value: Value, by: int, clamp: tuple[int, int], type: str) -> Value:
        """x + by within the clamp, as a value of its own."""
        ones = np.ones(value.channels, np.int32)
        return self.add(
            Requantize(
                name=self.name(operator), inputs=(value.name,), m=ones, b=ones * by, s=ones * 0, zero=0,
                lo=clamp[0], hi=clamp[1], rounding="floor", type=type,
            )
        )  # fmt: skip

    def table(self, operator: Operator, value: Value, codes: Ints, type: str) -> Value:
        """y = codes[x - lo] for x from the first code of int8."""
        return self.add(
            Lookup(
                name=self.name(operator),
                inputs=(value.name,),
                table=codes.astype(np.int32),
                offset=-128,
                type=type,
            )
        )

    def minus(self, operator: Operator, value: Value, zero: int) -> Value:
        """x - zero."""
        ends = value.lo - zero, value.hi - zero
        return value if zero == 0 else self.shifted(operator, value, -zero, ends, smallest(*ends).name)


def activation(operator: Operator) -> str:
    """The name of the fused activation; EdgeTernaryError for one that is not defined on integers."""
    number = int(operator.options.get("FusedActivationFunction", 0))
    name = ACTIVATIONS[number] if 0 <= number < len(ACTIVATIONS) else f"activation {number}"
    if name not in LIMITS:
        raise refuse(operator, f"its fused activation is {name}", f"use one of {', '.join(LIMITS)}")
    return name


def quantized(tensor: Tensor, real: float) -> int:
    """The code of a real number, divided in float32 and rounded half away from zero; within int32."""
    with np.errstate(over="ignore"):
        quotient = np.float64(np.float32(real) / tensor.scale)
    return tensor.zero + int(half_away(np.clip(np.array([quotient]), -FARTHEST, FARTHEST))[0])
