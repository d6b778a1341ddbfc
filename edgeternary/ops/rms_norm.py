"""rms_norm: y = 2^15 x / sqrt(sum x^2) over the channels, by an integer reciprocal square root.

    S = max(sum_c x[c]^2, 1)
    f = floor(S / 4^h) with the integer h for which 2^14 <= f < 2^16
    r = the largest integer with r^2 f < 2^46                         15 fraction bits: 2^15 <= r < 2^16
    y[c] = clamp((x[c] * r) >> (h + 8), -32767, 32767)

so r 2^-(23 + h) is 1 / sqrt(S) to about 2^-15, and every x[c] * r is an int32. No gain, no epsilon and no
number of channels is in it: a requantize after it multiplies by sqrt(C) and whatever else there is.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build

LIMIT = 1 << 15  # |x|
TOP = LIMIT - 1  # |y|
MAX_CHANNELS = 1 << 16
BITS = 16  # of r
TARGET = 46  # r^2 f < 2^TARGET
LEAST_H, MOST_H = -7, 15  # S = 1, and 2^16 times 2^30

Wide = NDArray[np.int64]


def reciprocal_root(total: Wide) -> tuple[Wide, Wide]:
    """(r, h) of `total` = S >= 1, elementwise."""
    borders = np.int64(1) << (16 + 2 * np.arange(LEAST_H, MOST_H))
    h = LEAST_H + (total[..., None] >= borders).sum(-1)
    f = (total << -2 * LEAST_H) >> 2 * (h - LEAST_H)
    r = np.zeros_like(total)
    for bit in reversed(range(BITS)):
        tried = r + (np.int64(1) << bit)
        r = np.where(tried * tried * f < np.int64(1) << TARGET, tried, r)
    return r, h


class RmsNorm(Op, frozen=True, kw_only=True, eq=False):
    """The direction of a vector, for BitLinear: each pixel's channels over their Euclidean length.

    Input (..., C), C at most 65,536, codes in [-32768, 32767]; output int16 of the same shape in units of
    2^-15. Zeros stay zeros.
    """

    kind: ClassVar[str] = "rms_norm"

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(
            x.lo >= -LIMIT and x.hi < LIMIT,
            f"its input reaches from {x.lo:,} to {x.hi:,}, beyond int16",
            "requantize its input to int16 first",
        )
        self.require(
            x.channels <= MAX_CHANNELS, f"it has {x.channels:,} channels, at most 65,536 are possible"
        )
        return self.result(x.shape, parse("int16"), -TOP if x.lo < 0 else 0, TOP if x.hi > 0 else 0)

    def ref(self, *xs: IntArray) -> IntArray:
        x = xs[0].astype(np.int64)
        r, h = reciprocal_root(np.maximum((x * x).sum(-1), 1))
        return np.clip(x * r[..., None] >> (h + 8)[..., None], -TOP, TOP).astype(np.int32)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        cases: list[tuple[tuple[int, ...], str, int | None, int | None]] = [
            ((33,), "int16", None, None), ((1,), "int16", None, None), ((128,), "int16", -900, 1000),
            ((2, 3, 5), "int8", None, None), ((7,), "uint2", None, None), ((4, 1), "bipolar", None, None),
            ((3,), "int16", -32768, -32700), ((300,), "binary", None, None), ((5,), "int32", -32768, 32767),
        ]  # fmt: skip
        graphs = []
        for shape, type, lo, hi in cases:
            graphs.append(build.graph(build.value("x", shape, type, lo, hi), cls(name="y", inputs=("x",))))
        return graphs
