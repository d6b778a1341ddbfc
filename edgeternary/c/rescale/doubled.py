"""Requantize by the high word of a doubled product, four numbers at a time in vector registers.

    u = sat(sat(raw << left) + start)      y = clamp((u * m) >> 31 >> shift, lo, hi)

VQSHL, VQADD and VQDMULH compute it. start holds the bias, the rounding and the zero point. S is 31 + shift.
Code k is reached at the right place, raw = t, if

    (t << left) + start  >=  ceil(k * 2^S / m)  >  ((t - 1) << left) + start

so start lies between the largest D(k) = ceil(k * 2^S / m) - (t << left) and the smallest one + 2^left - 1.
Neither u nor the code falls where raw rises. So codes that are equal at both sides of every step and at the
ends of the interval are equal everywhere; these are compared.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.rescale.staircase import NEAR, Staircase, staircase
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Requantize

MOST_SHIFT = 22  # k * 2^S stays inside int64
TRIED = 3  # left shifts
TINY, HALF = 1e-12, 0.5  # in place of a gain of 0; what rounding adds

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Doubled:
    """m, start (C,); left and shift of all channels."""

    m: Ints
    start: Ints
    left: int
    shift: int

    def codes(self, raw: Ints) -> Ints:
        """(n, C) before the clamp."""
        u = (raw << self.left).clip(INT32_LO, INT32_HI)
        return (u + self.start).clip(INT32_LO, INT32_HI) * self.m >> 31 + self.shift

    def fields(self) -> tuple[dict[str, object], list[Table]]:
        """Template fields and tables; they hold the zero point, and the bias of the layer before."""
        tables = [Table("start", self.start.astype(np.int32)), Table("m", self.m.astype(np.int32))]
        return {"form": "doubled", "left": self.left, "shift": self.shift, "zero": 0}, tables


def doubled(op: Requantize, x: Value, offset: Ints) -> Doubled | None:
    """That of `op` for x = raw + offset, offset (C,); None where a channel falls or has no such line."""
    return _doubled(op, x, offset.tobytes())


@lru_cache(maxsize=256)
def _doubled(op: Requantize, x: Value, offsets: bytes) -> Doubled | None:
    found, offset = staircase(op, x), np.frombuffer(offsets, np.int64)
    gain = np.ldexp(op.m.astype(np.float64), -op.s.astype(np.int64))
    if found is None or not gain.max() > 0:
        return None
    inner = (found.t > x.lo) & (found.t <= x.hi)
    codes = np.where(inner, np.arange(op.lo + 1, op.hi + 1), 0)
    t = np.where(inner, found.t - offset[:, None], 0)
    reach = max(int(np.abs(t).max()), float((np.abs(codes) / np.maximum(gain, TINY)[:, None]).max()))
    most = 30 - int(reach).bit_length()
    for left in range(most, max(most - TRIED, -1), -1):
        shift = min(int(np.floor(left - np.log2(gain.max()))), MOST_SHIFT)
        if shift < 0:
            continue
        m, start = _lines(gain, (codes, t, inner), left, shift)
        constant = ~inner.any(axis=1)
        half = 0.0 if op.rounding == "floor" else HALF
        at = np.ldexp(op.b.astype(np.float64), -op.s.astype(np.int64)) + half + op.zero
        natural = np.ldexp(at / np.maximum(gain, TINY) + offset, left).clip(INT32_LO, INT32_HI)
        start = np.where(constant, natural.astype(np.int64), start)
        made = Doubled(m, start, left, shift)
        if np.abs(start).max() <= INT32_HI and _equal(made, op, found, offset):
            return made
    return None


def _lines(
    gain: NDArray[np.float64], steps: tuple[Ints, Ints, NDArray[np.bool_]], left: int, shift: int
) -> tuple[Ints, Ints]:
    """(m, start) whose D(k) differ least, start in the middle of its interval."""
    codes, t, inner = steps
    nearest = np.rint(np.ldexp(gain, 31 + shift - left)).astype(np.int64)
    best, start, least = nearest.clip(0, INT32_HI), np.zeros_like(nearest), np.full(len(gain), np.inf)
    for near in NEAR:
        m = (nearest + near).clip(0, INT32_HI)
        d = -((-codes << 31 + shift) // np.maximum(m, 1)[:, None]) - (t << left)
        low = np.where(inner, d, INT32_HI << 8).min(axis=1)
        high = np.where(inner, d, -INT32_HI << 8).max(axis=1)
        better = high - low < least
        best, least = np.where(better, m, best), np.where(better, high - low, least)
        start = np.where(better, (low + high + (1 << left)) >> 1, start)
    return best, start


def _equal(made: Doubled, op: Requantize, found: Staircase, offset: Ints) -> bool:
    places = np.concatenate([found.t.T, found.t.T - 1]).clip(found.lo, found.hi)
    ends = np.array([[found.lo], [found.hi]]) + 0 * offset
    x = np.concatenate([places, ends])
    return np.array_equal(made.codes(x - offset).clip(op.lo, op.hi), op.ref(x))
