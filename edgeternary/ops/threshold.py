"""threshold: y = base[c] + step[c] * count over k of (x >= t[c, k])."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse

MAX_LEVELS = 255
CHUNK = 4  # samples at a time, so that a map stays in cache while its levels are counted


class Threshold(Op, frozen=True, kw_only=True, eq=False):
    """A monotone step function per channel: batch-norm and a quantising activation in one.

    t     int32 (C, K), ascending in each row, within [lo, hi + 1] of the input; hi + 1 is never reached
    base  int32 (C,), the output below the first threshold
    step  int32 (C,), in -2..2: negative for a negative gamma, 0 for a constant channel, +-2 for bipolar
    type  of the output
    Input (..., C), output of the same shape.
    """

    kind: ClassVar[str] = "threshold"

    t: np.ndarray
    base: np.ndarray
    step: np.ndarray
    type: str

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        out = parse(self.type)
        self.require(self.t.ndim == 2 and 1 <= self.t.shape[1] <= MAX_LEVELS, "t must be (C, K), K in 1..255")
        channels, levels = self.t.shape
        self.require(channels == x.channels, f"t has {channels} channels, its input {x.channels}")
        self.check_array("t", (channels, levels))
        self.check_array("base", (channels,))
        self.check_array("step", (channels,))
        self.require(bool(np.all(np.diff(self.t.astype(np.int64), axis=1) >= 0)), "thresholds must ascend")
        self.require(
            int(self.t.min()) >= x.lo and int(self.t.max()) <= x.hi + 1,
            f"thresholds must lie in [{x.lo}, {x.hi + 1}], they reach from {self.t.min()} to {self.t.max()}",
        )
        self.require(int(np.abs(self.step.astype(np.int64)).max()) <= 2, "steps must be -2, -1, 0, +1 or +2")
        # Counts run from the thresholds that are always reached to those that are ever reached.
        low = (self.t <= x.lo).sum(axis=1)
        high = (self.t <= x.hi).sum(axis=1)
        ends = self.base.astype(np.int64)[:, None] + self.step.astype(np.int64)[:, None] * np.stack(
            [low, high], 1
        )
        self.require(
            int(ends.min()) >= out.lo and int(ends.max()) <= out.hi,
            f"an output is not {out}: {ends.min()}..{ends.max()}",
        )
        if out.name == "bipolar":
            self.require(
                bool(np.all(np.abs(self.base) == 1)) and not np.any(np.abs(self.step) == 1),
                "bipolar outputs need a base of -1 or +1 and steps of -2, 0 or +2",
            )
        return self.result(x.shape, out, int(ends.min()), int(ends.max()))

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return np.concatenate([self._count(x[i : i + CHUNK]) for i in range(0, max(len(x), 1), CHUNK)])

    def _count(self, x: IntArray) -> IntArray:
        count = np.zeros(x.shape, np.uint8)  # at most MAX_LEVELS
        for t in np.ascontiguousarray(self.t.T):
            count += (x >= t).view(np.uint8)
        return (self.base + self.step * count).astype(np.int32, copy=False)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, int, int, tuple[int, ...], str]] = [
            ("int32", -90, 75, (11,), "bipolar"), ("int32", -40, 1000, (3, 4, 6), "uint2"),
            ("int32", -7, 7, (5,), "ternary"), ("int32", -70000, 90000, (33,), "uint4"),
            ("uint8", 0, 255, (2, 3, 4), "binary"), ("int8", -128, 127, (7,), "int3"),
            ("int32", 5, 5, (4,), "uint3"), ("int16", -300, 299, (2, 2, 37), "bipolar"),
            ("int32", -(2**31), 2**31 - 2, (4,), "uint2"),
        ]  # fmt: skip
        for input_type, lo, hi, shape, output_type in cases:
            x = Value("x", shape, parse(input_type), lo, hi)
            graphs.append(_alone(x, random_thresholds(rng, x, output_type)))
        for lo, hi, shape, output_type in [(-2000, 1500, (3, 2, 9), "uint4"), (-90, 75, (21,), "int4")]:
            x = Value("x", shape, parse("int32"), lo, hi)
            graphs.append(_alone(x, uniform_thresholds(rng, x, output_type)))
        most = 2**31 - 1  # where hi + 1 is no int32, every threshold can be reached
        for lo, hi, output_type, levels in [
            (-90, 75, "uint4", 7),
            (-5, 5, "ternary", 1),
            (-most, most, "int4", 4),
        ]:
            x = Value("x", (9,), parse("int32"), lo, hi)
            t = np.sort(rng.integers(lo, min(hi + 1, most), (9, levels), endpoint=True), axis=1)
            step = np.tile([2, -2, 0], 3).astype(np.int32)  # in twos, on types that have what lies between
            base = np.where(step < 0, parse(output_type).lo + 2 * levels, parse(output_type).lo).astype(
                np.int32
            )
            op = cls(name="act", inputs=("x",), t=t.astype(np.int32), base=base, step=step, type=output_type)
            graphs.append(_alone(x, op))
        return graphs


def _alone(x: Value, op: Op) -> Graph:
    return Graph(name="example", inputs=x, ops=(op,), outputs=op.name)


def random_thresholds(
    rng: np.random.Generator, x: Value, type: str, name: str = "act", source: str | None = None
) -> Threshold:
    """A threshold op on `x` with steps of both signs, constant channels and unreachable thresholds."""
    t = parse(type)
    levels = 1 if t.name == "bipolar" else t.hi - t.lo
    width = 2 if t.name == "bipolar" else 1
    thresholds = np.sort(rng.integers(x.lo, x.hi + 2, (x.channels, levels)), axis=1).astype(np.int32)
    step = (width * rng.choice([1, 1, 1, -1, 0], x.channels)).astype(np.int32)
    base = np.where(step < 0, t.hi, t.lo).astype(np.int32)
    return Threshold(name=name, inputs=(source or x.name,), t=thresholds, base=base, step=step, type=type)


def uniform_thresholds(
    rng: np.random.Generator, x: Value, type: str, name: str = "act", source: str | None = None
) -> Threshold:
    """A threshold op on `x` as of a uniform quantiser: code k from ceil((k - offset) / scale) on.

    Signs, constant and clamped channels as in `random_thresholds`.
    """
    t = parse(type)
    levels = t.hi - t.lo
    run = (x.hi - x.lo) * rng.uniform(0.1, 2.0, (x.channels, 1)) / levels
    first = x.lo + (x.hi - x.lo) * rng.uniform(-0.2, 0.8, (x.channels, 1))
    places = np.ceil(first + run * np.arange(levels))
    thresholds = np.clip(places, x.lo, x.hi + 1).astype(np.int32)
    step = rng.choice([1, 1, 1, -1, 0], x.channels).astype(np.int32)
    base = np.where(step < 0, t.hi, t.lo).astype(np.int32)
    return Threshold(name=name, inputs=(source or x.name,), t=thresholds, base=base, step=step, type=type)
