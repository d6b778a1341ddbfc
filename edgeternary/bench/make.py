"""Seeded graphs: weights as trained networks have them, activations whose scale suits the accumulators.

Ternary weights have exactly 45 % zeros. Weights of 2 to 8 bits are normally distributed numbers after the
uniform quantiser of the least mean square error (J. Max, Quantizing for Minimum Distortion, 1960): in
canonical signed digits they have 0.6 digits a weight at 2 bits, 0.9 at 3, 1.15 at 4 and 2.3 at 8.

After a layer with accumulators of mean mu and deviation sigma (of random inputs), channel c gets

    y = clamp((acc * m[c] + b[c] + 2^(s[c]-1)) >> s[c], lo, hi)

with a random shift (and in form B a random 15-bit multiplier, in forms C and T one of 31 bits) such that
sigma is about a third of the output's half range; in C and T a zero point takes the place of most of b. Up
to 4 bits the same function is written as thresholds, as the front ends do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeternary.bench.modes import THRESHOLD_BITS, Mode
from edgeternary.ir import Graph, IntArray, Op, Type, Value, parse
from edgeternary.ir.ports import join
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Add, Conv2d, Dense, Requantize, Reshape, SumPool, Threshold, build
from edgeternary.ops.window import Padding, Pair

ZEROS = 0.45
SPREAD = 3.0  # half range of an output in deviations of the accumulator
M_BITS = 15
LONG = ("C", "T")  # forms with multipliers of 31 bits
STEPS = (1.05, 0.603, 0.339, 0.187, 0.105, 0.0574, 0.0318)  # of Max's quantiser in deviations, 2 to 8 bits

Floats = NDArray[np.float64]


def weights(rng: np.random.Generator, shape: tuple[int, ...], type: str) -> NDArray[np.int8]:
    """Weight codes; of ternary ones exactly 45 % (rounded) are zero."""
    if type == "bipolar":
        return build.codes(rng, shape, type)
    if type != "ternary":
        kind = parse(type)
        steps = np.round(rng.normal(size=shape) / STEPS[kind.bits - 2])
        return steps.clip(kind.lo, kind.hi).astype(np.int8)
    count = int(np.prod(shape))
    zeros = round(ZEROS * count)
    codes = np.concatenate([np.zeros(zeros, np.int8), rng.choice(np.array([-1, 1], np.int8), count - zeros)])
    return rng.permutation(codes).reshape(shape)


def samples(x: Value, count: int, seed: int = 1) -> IntArray:
    """Inputs (count + 2, *shape): `count` random ones (half of ternary codes zero), all-lo, all-hi."""
    rng = np.random.default_rng(seed)
    shape = (count, *x.shape)
    data = rng.integers(x.lo, x.hi + 1, shape, dtype=np.int32)
    if x.type.name == "ternary":
        data = rng.choice(np.array([-1, 0, 0, 1], np.int32), shape)
    if x.type.name == "bipolar":
        data = rng.choice(np.array([-1, 1], np.int32), shape)
    return np.concatenate([data, *(np.full((1, *x.shape), end, np.int32) for end in (x.lo, x.hi))])


def inputs(graph: Graph, count: int, seed: int = 1) -> IntArray:
    """The same for each input of a graph, several in their joined form."""
    return join(graph.inputs, {x.name: samples(x, count, seed + i) for i, x in enumerate(graph.inputs)})


def _moments(type: Type) -> tuple[float, float]:
    """Mean and deviation of random codes of `type`, as `samples` draws them."""
    if type.name in ("ternary", "bipolar"):
        return 0.0, 1.0 if type.name == "bipolar" else 0.5**0.5
    levels = type.hi - type.lo + 1
    return (type.lo + type.hi) / 2, ((levels**2 - 1) / 12) ** 0.5


class Maker:
    """Grows a graph layer by layer; `top` is the value that the next layer reads."""

    def __init__(self, name: str, mode: Mode, shape: tuple[int, ...], type: str, seed: int) -> None:
        self.name, self.mode, self.rng = name, mode, np.random.default_rng(seed)
        self.x = self.top = build.value("x", shape, type)
        self.ops: list[Op] = []
        self.values = {"x": self.x}
        mean, deviation = _moments(self.x.type)
        self._moments = {"x": (np.full(shape[-1], mean), np.full(shape[-1], deviation))}

    def graph(self) -> Graph:
        return build.graph(self.x, *self.ops, name=self.name)

    def add(self, op: Op, mean: Floats, deviation: Floats) -> Maker:
        """Append `op`; mean and deviation (C,) of its output, for the activation after it."""
        self.ops.append(op)
        self.top = self.values[op.name] = op.infer([self.values[name] for name in op.inputs])
        self._moments[op.name] = (mean, deviation)
        return self

    def _sums(self, w: NDArray[np.int8], top: str) -> tuple[Floats, Floats]:
        mean, deviation = (float(a.mean()) for a in self._moments[top])
        flat = w.reshape(len(w), -1).astype(np.float64)
        return flat.sum(axis=1) * mean, np.sqrt((flat**2).sum(axis=1)) * max(deviation, 0.1)

    def dense(self, out: int, name: str, last: bool = False) -> Maker:
        """`last`: with a random bias, as a layer without an activation has one."""
        w = weights(self.rng, (out, self.top.size), self.mode.weights)
        bias = self.rng.integers(-99, 100, out).astype(np.int32) * last
        op = Dense(name=name, inputs=(self.top.name,), weights=w, weight_type=self.mode.weights, bias=bias)
        return self.add(op, *self._sums(w, self.top.name))

    def conv(
        self, out: int, kernel: Pair, stride: Pair, pad: Padding, name: str, groups: int = 1, of: str = ""
    ) -> Maker:
        """A convolution of the value `of` (default: the top), padded with 0, or -1 where there is no 0."""
        x = self.values[of or self.top.name]
        w = weights(self.rng, (out, *kernel, x.channels // groups), self.mode.weights)
        op = Conv2d(
            name=name, inputs=(x.name,), weights=w, weight_type=self.mode.weights,
            bias=np.zeros(out, np.int32), stride=stride, pad=pad,
            pad_value=-1 if x.type.name == "bipolar" else 0, groups=groups,
        )  # fmt: skip
        return self.add(op, *self._sums(w, x.name))

    def sum(self, name: str, other: str) -> Maker:
        """The residual sum of the top and the value `other`."""
        pairs = zip(self._moments[self.top.name], self._moments[other], strict=True)
        (mean, deviation) = (np.asarray(a + b, np.float64) for a, b in pairs)
        return self.add(Add(name=name, inputs=(self.top.name, other)), mean, deviation)

    def average(self, name: str) -> Maker:
        """The sum over the whole image, as a flat value; the activation after it makes it an average."""
        kernel = self.top.shape[0], self.top.shape[1]
        mean, deviation = self._moments[self.top.name]
        count = kernel[0] * kernel[1]
        pool = SumPool(name=name, inputs=(self.top.name,), kernel=kernel, stride=kernel)
        return self.add(pool, mean * count, deviation * count**0.5)

    def flat(self, name: str) -> Maker:
        mean, deviation = (np.full(self.top.size, float(a.mean())) for a in self._moments[self.top.name])
        return self.add(Reshape(name=name, inputs=(self.top.name,), shape=(self.top.size,)), mean, deviation)

    def act(self, name: str, type: str = "") -> Maker:
        """The activation after a sum: thresholds up to 4 bits, else a requantize of the mode's form."""
        out = parse(type or self.mode.activations)
        long = self.mode.form in LONG
        mean, deviation = self._moments[self.top.name]
        m = self._multipliers()
        half_range = max(out.hi - out.lo, 1) / 2
        s = np.ceil(np.log2(np.maximum(deviation * m * SPREAD / half_range, 1)))
        s = (s + self.rng.integers(0, 2, s.shape)).astype(np.int64)
        centre = np.round((out.lo + out.hi) / 2 * 2.0**s - mean * m)
        b = (centre + self.rng.normal(0, 0.3, s.shape) * deviation * m).astype(np.int64)
        half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
        if out.bits <= THRESHOLD_BITS:
            op: Op = self._thresholds(name, out, b + half, s)
        else:
            op = Requantize(
                name=name, inputs=(self.top.name,), m=m.astype(np.int32),
                b=(b.clip(-INT32_HI, INT32_HI) * (self.mode.form != "T")).astype(np.int32),
                s=s.astype(np.int32), zero=(out.lo + out.hi + 1) // 2 * long, lo=out.lo, hi=out.hi,
                rounding="tflite_double" if self.mode.form == "T" else "half_up", type=out.name,
            )  # fmt: skip
        middle, spread = (np.full(self.top.channels, moment) for moment in _moments(out))
        return self.add(op, middle, spread)

    def _multipliers(self) -> NDArray[np.int64]:
        """(C,): ones, random ones of form B that keep acc * m + b inside int32, or any of 31 bits."""
        channels = self.top.channels
        if self.mode.form == "A" or parse(self.mode.activations).bits <= THRESHOLD_BITS:
            return np.ones(channels, np.int64)
        if self.mode.form in LONG:
            return self.rng.integers(1 << 30, 1 << 31, channels)
        reach = max(abs(self.top.lo), abs(self.top.hi), 1)
        hi = min(2**M_BITS - 1, INT32_HI // (4 * reach))
        return self.rng.integers(max(hi // 2, 1), hi + 1, channels)

    def _thresholds(self, name: str, out: Type, offset: NDArray[np.int64], s: NDArray[np.int64]) -> Threshold:
        """y >= k where acc + offset >= k * 2^s; bipolar: the sign of acc + offset."""
        bipolar = out.name == "bipolar"
        levels = np.array([0]) if bipolar else np.arange(out.lo + 1, out.hi + 1)
        t = (levels << s[:, None]) - offset[:, None]
        ones = np.ones(len(s), np.int32)
        return Threshold(
            name=name, inputs=(self.top.name,), t=t.clip(self.top.lo, self.top.hi + 1).astype(np.int32),
            base=out.lo * ones, step=ones * (2 if bipolar else 1), type=out.name,
        )  # fmt: skip
