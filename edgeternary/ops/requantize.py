"""requantize: y = clamp(round(x * m[c] + b[c], s[c]) + zero, lo, hi).

Rounding divides by 2^s:

    floor          v >> s
    half_up        (v + 2^(s-1)) >> s, and v for s = 0
    tflite_single  the same as half_up; the name records that a TFLite model asked for one rounding
    tflite_double  a doubling high product, (x*m + 2^30) >> 31, then a division by 2^(s-31) rounded half
                   away from zero (TFLite's reference kernels; for s < 31 x is first shifted left by
                   31 - s)

Forms, by what they cost:

    A   |m| <= 1: a shift, no multiplier
    B   |m| < 2^15, and x*m, x*m + b and x*m + b + rounding proven inside int32: one 32-bit product
    C   any int32 m: a 64-bit product, for imported models
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import build

ROUNDINGS = ("floor", "half_up", "tflite_single", "tflite_double")
MAX_SHIFT = 62


class Requantize(Op, frozen=True, kw_only=True, eq=False):
    """A linear rescaling to few bits, per channel.

    m, b, s   int32 (C,): multiplier, bias and right shift (0..62; 0..31 in forms A and B)
    zero      int, added after rounding;  lo, hi  int, the clamp, both within `type`
    rounding  floor, half_up, tflite_single or tflite_double (b must be 0 for the last)
    type      of the output
    Input (..., C), output of the same shape.
    """

    kind: ClassVar[str] = "requantize"

    m: np.ndarray
    b: np.ndarray
    s: np.ndarray
    zero: int
    lo: int
    hi: int
    rounding: str
    type: str

    def form(self, x: Value) -> str:
        """'A', 'B' or 'C' for an input in the interval of `x`."""
        if self.rounding == "tflite_double":
            return "C"
        m, b, s = (a.astype(np.int64) for a in (self.m, self.b, self.s))
        products = np.stack([m * x.lo, m * x.hi])
        ends = np.concatenate([products, products + b])
        half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (self.rounding != "floor")
        in_int32 = ends.min() >= INT32_LO and (ends + half).max() <= INT32_HI and s.max() <= 31
        if not in_int32 or np.abs(m).max() >= 2**15:
            return "C"
        return "A" if np.abs(m).max() <= 1 else "B"

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        out = parse(self.type)
        for field in ("m", "b", "s"):
            self.check_array(field, (x.channels,))
        self.require(self.rounding in ROUNDINGS, f"unknown rounding {self.rounding[:20]!r}")
        self.require(bool(np.all((self.s >= 0) & (self.s <= MAX_SHIFT))), "shifts must be 0 to 62")
        self.require(abs(self.zero) < 2**16, "the zero point must be below 2^16")
        self.require(out.lo <= self.lo <= self.hi <= out.hi, f"the clamp [{self.lo}, {self.hi}] leaves {out}")
        self.require(
            out.name != "bipolar" or self.lo == self.hi,
            "a bipolar output is a threshold's, not a requantize's",
        )
        if self.rounding == "tflite_double":
            self.require(
                not np.any(self.b), "tflite_double takes no bias here", "put the bias into the layer before"
            )
            left = int(np.maximum(31 - self.s.astype(np.int64), 0).max())
            self.require(
                (x.lo << left) >= INT32_LO and (x.hi << left) <= INT32_HI, "its left shift can overflow int32"
            )
        # Monotone in x for either sign of m, so the ends of the interval give the ends of the output.
        ends = self._apply(np.array([[x.lo], [x.hi]], np.int64) + np.zeros(x.channels, np.int64))
        return self.result(x.shape, out, int(ends.min()), int(ends.max()))

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return self._apply(x.astype(np.int64)).astype(np.int32)

    def _apply(self, x: np.ndarray) -> np.ndarray:
        m, b, s = (a.astype(np.int64) for a in (self.m, self.b, self.s))
        if self.rounding == "tflite_double":
            rounded = double_rounded(x, m, s)
        else:
            half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (self.rounding != "floor")
            rounded = (x * m + b + half) >> s
        return np.clip(rounded + self.zero, self.lo, self.hi)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        def case(lo: int, hi: int, shape: tuple[int, ...], type: str, form: str, rounding: str) -> Graph:
            x = build.value("x", shape, "int32", lo, hi)
            out, channels = parse(type), shape[-1]
            m = {
                "A": rng.choice([1, 1, 1, -1, 0], channels),
                "B": rng.integers(-50, 2**10, channels),
                "C": rng.integers(2**29, 2**31, channels),
            }[form].astype(np.int32)
            s = {"A": rng.integers(0, 6, channels), "B": rng.integers(6, 14, channels)}.get(
                form, rng.integers(31, 40, channels)
            )
            b = np.zeros(channels) if rounding == "tflite_double" else rng.integers(-1000, 1000, channels)
            op = cls(
                name="quant", inputs=("x",), m=m, b=b.astype(np.int32), s=s.astype(np.int32),
                zero=int(out.lo < 0), lo=out.lo, hi=out.hi, rounding=rounding, type=type,
            )  # fmt: skip
            return build.graph(x, op)

        return [
            case(-300, 411, (13,), "int8", "A", "floor"),
            case(-900, 900, (3, 2, 5), "uint8", "A", "half_up"),
            case(-3000, 4000, (2, 3, 4), "uint5", "B", "half_up"),
            case(-3000, 4000, (9,), "int6", "B", "floor"),
            case(-30000, 40000, (6,), "int8", "C", "tflite_single"),
            case(-30000, 40000, (6,), "int8", "C", "tflite_double"),
            case(-40000, 40000, (5,), "int16", "C", "half_up"),
            case(-40, 40, (3,), "uint2", "A", "floor"),
            case(-500, 400, (2, 1, 6), "int7", "A", "tflite_single"),
            case(-3000, 4000, (7,), "uint6", "B", "tflite_single"),
            case(-30000, 40000, (5,), "int8", "C", "floor"),
        ]


def double_rounded(
    x: NDArray[np.int64], m: NDArray[np.int64] | np.int64, s: NDArray[np.int64] | np.int64
) -> NDArray[np.int64]:
    """x * m / 2^s with the two roundings of tflite_double."""
    high = _doubling_high_product(x << np.maximum(31 - s, 0), m)
    return divided_by_power(high, np.maximum(s - 31, 0))


def _doubling_high_product(x: NDArray[np.int64], m: NDArray[np.int64] | np.int64) -> NDArray[np.int64]:
    """x * m / 2^31 as TFLite nudges it and truncates as C division does: ties go up."""
    product = x * m
    nudged = product + np.where(product >= 0, np.int64(1 << 30), np.int64(1 - (1 << 30)))
    return np.where(nudged >= 0, nudged >> 31, -((-nudged) >> 31))


def divided_by_power(x: NDArray[np.int64], exponent: NDArray[np.int64] | np.int64) -> NDArray[np.int64]:
    """round(x / 2^exponent), half away from zero."""
    mask = (np.int64(1) << exponent) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))
