"""Requantize by the high word of a 64-bit product, for cores that multiply-accumulate to 64 bits.

    y = clamp((acc * m + start) >> 32 >> shift, lo, hi)

start holds b, the rounding, the zero point, and the bias of the layer before. Both roundings of tflite_double
are one shift: with p = acc * m and 2^31 taken off where acc < 0, halves are rounded away from zero, so

    y = (2 p + start + 2^32 * (acc >> 31)) >> 32 >> shift

2 m may be 2^32 + m', where acc is added to the high word of acc * m'.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.rescale.staircase import staircase
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Requantize

WORD = 32
MOST_BITS = 61  # of start and of the product, so that their sum is an int64

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class High:
    """m, start, shift, each (C,); what is added to the high word: the sign of acc, and acc itself."""

    m: Ints
    start: Ints
    shift: Ints
    signs: bool = False
    wraps: bool = False

    def fields(self, offset: Ints) -> tuple[dict[str, object], list[Table]]:
        """Template fields and the table, for acc = x + offset; offset (C,) is 0 where signs are added."""
        start = self.start + self.m * offset
        columns = [start & 0xFFFFFFFF, start >> WORD, self.m]
        same = bool(np.all(self.shift == self.shift[0]))
        columns += [] if same else [self.shift]
        words = (np.stack(columns, axis=1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
        comment = "low and high word of start, m" + ("" if same else ", shift")
        fields: dict[str, object] = {
            "form": "high", "columns": len(columns), "shift": int(self.shift[0]) if same else None,
            "signs": self.signs, "wraps": self.wraps,
        }  # fmt: skip
        return fields, [Table("scale", words, comment)]

    def folds(self, offset: Ints) -> bool:
        """Whether start can hold the bias."""
        most = np.abs(self.start + self.m.astype(np.float64) * offset).max()
        return not self.signs and bool(most < 1 << MOST_BITS)


@lru_cache(maxsize=256)
def high(op: Requantize, x: Value) -> High | None:
    """That of `op` for accumulators in the interval of `x`; None where a word is too short for a step."""
    reach, codes = max(abs(x.lo), abs(x.hi)), max(abs(op.lo), abs(op.hi), abs(op.zero)) + 2
    if codes << int(op.s.max()) >= 1 << MOST_BITS - 1 or x.hi - x.lo > INT32_HI:
        return None
    return _same_shift(op, x) or (_twice(op, reach) if op.rounding == "tflite_double" else _once(op))


def _same_shift(op: Requantize, x: Value) -> High | None:
    """With one shift for all channels, where lines have the same steps."""
    found = staircase(op, x)
    if found is None:
        return None
    s = max(int(op.s.min()), WORD)
    lo, hi = (np.full(x.channels, end, np.int64) for end in (x.lo, x.hi))
    lines = found.lines((lo, hi), s, clamped=True)
    if lines is None or lines.m.max() > INT32_HI:
        return None
    start = lines.b - lo * lines.m + (op.lo << s)
    return High(lines.m, start, np.full(x.channels, s - WORD, np.int64))


def _once(op: Requantize) -> High | None:
    m, b, s = (a.astype(np.int64) for a in (op.m, op.b, op.s))
    left = np.maximum(WORD - s, 0)
    if (np.abs(m) << left).max() > INT32_HI:
        return None
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (op.rounding != "floor")
    start = (b + half + (op.zero << s)) << left
    return High(m << left, start, s + left - WORD)


def _twice(op: Requantize, reach: int) -> High | None:
    m, s = op.m.astype(np.int64), op.s.astype(np.int64)
    if s.min() < WORD or m.min() < 0:
        return None
    wraps = bool(m.min() >= 1 << 30)
    if not wraps and m.max() >= 1 << 30:
        return None
    if (reach + ((abs(op.zero) + 2) << (s - WORD + 1))).max() > INT32_HI:
        return None
    start = (np.int64(1) << s) + (np.int64(1) << 31) + (op.zero << (s + 1))
    return High(2 * m - (wraps << WORD), start, s + 1 - WORD, True, wraps)
