"""Grows a random graph op by op, valid by construction; what is drawn comes from one source of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeternary.ir import Graph, Op, Value, parse
from edgeternary.ops import (
    Add,
    Compare,
    Concat,
    Conv2d,
    Dense,
    GroupCount,
    Lookup,
    MaxPool,
    Mul,
    Requantize,
    Reshape,
    SumPool,
    Upsample,
    build,
)  # fmt: skip
from edgeternary.ops.lut import random_tables
from tests.registry.graphs import act, uniform_act

ACTIVATIONS = ("bipolar", "binary", "ternary", "uint2", "int3", "uint4")
WEIGHTS = ("bipolar", "ternary", "ternary", "int2", "int4", "int8")
ROUNDINGS = ("floor", "half_up", "tflite_single")

Below = Callable[[int], int]  # n -> an integer in [0, n)


class Maker:
    """`top` is the value that the next layer reads.

    below  the source of every choice
    rng    of weights, biases and thresholds
    wide   whether 64-bit products (requantize C) may occur
    """

    def __init__(self, below: Below, rng: np.random.Generator, x: Value, wide: bool = True) -> None:
        self.below, self.rng, self.x, self.wide = below, rng, x, wide
        self.ops: list[Op] = []
        self.top = x

    def pick(self, options: tuple[Any, ...]) -> Any:
        return options[self.below(len(options))]

    def add(self, op: Op) -> Value:
        self.ops.append(op)
        self.top = self.graph().output_value
        return self.top

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.ops)}"

    def graph(self) -> Graph:
        return build.graph(self.x, *self.ops, name="random")

    def bias(self, count: int) -> np.ndarray:
        reach = 2**24 if self.below(12) == 0 else 9
        return self.rng.integers(-reach, reach + 1, count).astype(np.int32)

    def weights(self, shape: tuple[int, ...], kind: str) -> np.ndarray:
        """Codes of a type; every fourth layer has dead channels, and some have nothing but zeros."""
        codes = build.codes(self.rng, shape, kind)
        if kind != "bipolar":
            match self.below(16):
                case 0:
                    codes[:] = 0
                case 1 | 2 | 3:
                    codes[self.rng.integers(0, 2, shape[0]) == 1] = 0
        return codes

    def flat(self) -> Value:
        if len(self.top.shape) != 1:
            self.add(Reshape(name=self.name("flat"), inputs=(self.top.name,), shape=(self.top.size,)))
        return self.top

    def dense(self, out: int) -> Value:
        self.flat()
        kind = self.pick(WEIGHTS)
        weights = self.weights((out, self.top.size), kind)
        return self.add(
            Dense(
                name=self.name("fc"),
                inputs=(self.top.name,),
                weights=weights,
                weight_type=kind,
                bias=self.bias(out),
            )
        )

    def window(self, reach: int) -> tuple[tuple[int, int], tuple[int, int, int, int], tuple[int, int]]:
        """Kernel, padding and stride: pads up to the kernel plus `reach`, strides beyond the image."""
        height, width = self.top.shape[:2]
        pad: Any = (0, 0, 0, 0)
        kernel = 1 + self.below(min(3, height)), 1 + self.below(min(3, width))
        if self.below(2):
            kernel = 1 + self.below(4), 1 + self.below(4)
            pad = tuple(self.below(k + reach) for k in kernel * 2)
            missing = [max(k - n - a - b, 0) for k, n, a, b in zip(kernel, (height, width), pad, pad[2:])]
            kernel = kernel[0] - missing[0], kernel[1] - missing[1]
        most = 2 if self.below(3) else 7
        return kernel, pad, (1 + self.below(most), 1 + self.below(most))

    def pad_value(self, padded: bool) -> int:
        """A code of the input's type; without padding any integer is allowed, torch's 0 above all."""
        members = [code for code in (self.top.lo, 0, self.top.hi) if self.top.type.contains(np.array([code]))]
        return int(self.pick(tuple(members))) if padded or self.below(4) == 0 else 0

    def conv(self, out: int) -> Value:
        channels = self.top.channels
        kernel, pad, stride = self.window(2)
        divisors = tuple(n for n in range(1, channels + 1) if channels % n == 0)
        groups = self.pick(divisors) if self.below(3) == 0 else 1
        if groups == channels:
            out = 1 + self.below(2)
        kind = self.pick(WEIGHTS)
        return self.add(
            Conv2d(
                name=self.name("conv"), inputs=(self.top.name,), weight_type=kind,
                weights=self.weights((out * groups, *kernel, channels // groups), kind),
                bias=self.bias(out * groups), stride=stride, pad=pad, pad_value=self.pad_value(any(pad)),
                groups=groups,
            )
        )  # fmt: skip

    def pool(self, alike: bool = False) -> Value:
        """alike: no sum."""
        kernel, pad, stride = self.window(0)
        if not alike and not any(pad) and self.top.hi - self.top.lo < 2**16 and self.below(2):
            op: Op = SumPool(name=self.name("sum"), inputs=(self.top.name,), kernel=kernel, stride=stride)
        else:
            minimum = self.rng.integers(0, 2, self.top.channels).astype(np.uint8)
            op = MaxPool(
                name=self.name("max"),
                inputs=(self.top.name,),
                kernel=kernel,
                stride=stride,
                pad=pad,
                minimum=minimum,
            )
        return self.add(op)

    def larger(self) -> Value:
        """Pixels repeated, or between zeros where 0 is a code."""
        fills = ("repeat", "zero") if self.top.type.contains(np.array([0])) else ("repeat",)
        factor = self.pick(((2, 2), (1, 3), (2, 1)))
        name = self.name("larger")
        return self.add(Upsample(name=name, inputs=(self.top.name,), factor=factor, fill=self.pick(fills)))

    def quantise(self, type: str | None = None) -> Value:
        """Thresholds, or a requantize."""
        name = self.name("act")
        if type is None and self.below(4) == 0:
            return self.add(self.requantize(name, self.top, parse("uint5"), self.pick(ROUNDINGS)))
        if type is None and self.below(4) == 0:
            return self.add(uniform_act(self.rng, self.graph(), name))
        return self.add(act(self.rng, self.graph(), type or self.pick(ACTIVATIONS), name))

    def requantize(self, name: str, x: Value, type: object, rounding: str) -> Op:
        """Any form, scaled so that the output uses its range."""
        out, channels = parse(str(type)), x.channels
        shift = max((x.hi - x.lo).bit_length() - out.bits, 0)
        m = np.ones(channels, np.int32)
        b = self.rng.integers(-9, 10, channels).astype(np.int32)
        form = self.below(4 if self.wide else 2)
        if form >= 2:
            m = self.rng.integers(2**29, 2**31, channels).astype(np.int32)
            shift += 31
            if form == 3:
                b, rounding = 0 * b, "tflite_double"
        elif form and x.hi - x.lo < 2**20:
            m, shift = self.rng.integers(1, 60, channels).astype(np.int32), shift + 5
        s = np.full(channels, shift, np.int32)
        return Requantize(
            name=name, inputs=(x.name,), m=m, b=b, s=s, zero=0, lo=out.lo, hi=out.hi, rounding=rounding,
            type=out.name,
        )  # fmt: skip

    def branch(self) -> Value:
        """Two activations of one shape, joined."""
        first = self.quantise()
        if len(first.shape) == 3 and self.below(2):
            kind = self.pick(("ternary", "bipolar"))
            kernel, pad = ((3, 3), (1, 1, 1, 1)) if self.below(2) else ((1, 1), (0, 0, 0, 0))
            weights = self.weights((first.channels, *kernel, first.channels), kind)
            self.add(
                Conv2d(
                    name=self.name("conv"), inputs=(first.name,), weights=weights, weight_type=kind, pad=pad,
                    bias=self.bias(first.channels), pad_value=first.lo,
                )
            )  # fmt: skip
        second = self.quantise(first.type.name if first.type.name in ACTIVATIONS else "uint2")
        joins: tuple[type[Op], ...] = (Add, Concat, Mul)
        return self.add(self.pick(joins)(name=self.name("join"), inputs=(first.name, second.name)))

    def compare(self, count: int) -> Value:
        """Of few or many different numbers, some of which are always reached, or never."""
        x = self.top
        numbers = self.rng.integers(x.lo, x.hi + 2, 1 + self.below(8))
        source = self.rng.integers(0, x.channels, count).astype(np.int32)
        t, type = self.rng.choice(numbers, count).astype(np.int32), self.pick(("binary", "binary", "bipolar"))
        return self.add(Compare(name=self.name("bits"), inputs=(x.name,), source=source, t=t, type=type))

    def tables(self, count: int) -> Value:
        type, pins, more = self.pick(("binary", "binary", "bipolar")), 1 + self.below(6), {}
        if len(self.top.shape) == 3:
            more = dict(zip(("kernel", "pad", "stride"), self.window(2)))
        name = self.name("tables")
        return self.add(random_tables(self.rng, self.top, count, pins, type, name=name, **more))

    def count(self, groups: int) -> Value:
        size = self.flat().size
        ends = np.sort(self.rng.integers(0, size + 1, groups)).astype(np.int32)
        ends[-1] = size
        return self.add(
            GroupCount(name=self.name("counts"), inputs=(self.top.name,), ends=ends, bias=self.bias(groups))
        )

    def table(self) -> Value:
        if self.top.hi - self.top.lo > 1000:
            return self.top
        table = self.rng.integers(-8, 8, self.top.hi - self.top.lo + 1).astype(np.int32)
        return self.add(
            Lookup(
                name=self.name("table"), inputs=(self.top.name,), table=table, offset=self.top.lo, type="int4"
            )
        )
