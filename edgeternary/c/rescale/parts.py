"""Requantize by products of 32 bits, for cores that have no longer ones.

In the window [a, a + range] the code is a line, beside it the lowest or the highest one:

    d = acc - a                                d < 0: y = lo      d > range: y = hi
    y = (d * m + b) >> s                       m = m0 + m1 * 2^h + m2 * 2^(2h),  0 <= m0, m1 < 2^h
      = ((((d * m0 >> h) + d * m1) >> h) + d * m2 + b') >> (s - 2h)

No step leaves 32 bits: d < 2^(32-h). b' = b / 2^(2h), lowest code included, is an integer; where no such b
serves, the h bits below it are added before the last shift. Two roundings, as tflite_double has them, are
lines with another b where acc < 0, which is d < -a.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.rescale.staircase import Lines, staircase
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Requantize

MOST_PARTS = 4
WORD, FINEST = 32, 52  # the largest s: products with codes stay inside int64

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """A line in `count` parts of h bits, for codes from lo; a and range are (C,).

    fine  b has h bits more
    """

    lines: Lines
    a: Ints
    range: Ints
    count: int
    h: int
    lo: int
    fine: bool

    @property
    def signs(self) -> bool:
        """Whether negative acc have a b of their own."""
        return bool(np.any(self.lines.less))

    def fields(self, offset: Ints) -> tuple[dict[str, object], list[Table]]:
        """Template fields and the table, for acc = x + offset."""
        low = self.h * (self.count - 1)
        shift = self.lines.s - low
        parts = [self.lines.m >> self.h * k & ((1 << self.h) - 1) for k in range(self.count - 1)]
        parts.append(self.lines.m >> low)
        columns = [offset - self.a, self.range, *parts, (self.lines.b >> low) + (self.lo << shift)]
        columns += [self.lines.less >> low, np.maximum(-self.a, 0)] if self.signs else []
        columns += [self.lines.b >> low - self.h & ((1 << self.h) - 1)] if self.fine else []
        words = (np.stack(columns, axis=1) & 0xFFFFFFFF).astype(np.uint32)
        comment = "-a, range, m in parts, b" + (", what to take off b below d = -a" if self.signs else "")
        comment += ", lower bits of b" if self.fine else ""
        fields: dict[str, object] = {
            "form": "parts", "columns": len(columns), "parts": self.count, "h": self.h, "shift": shift,
            "signs": self.signs, "fine": self.fine,
        }  # fmt: skip
        return fields, [Table("scale", words, comment, hexadecimal=True)]


@lru_cache(maxsize=256)
def parts(op: Requantize, x: Value) -> Parts | None:
    """The fewest parts that equal `op` on the interval of `x`; None where none do."""
    if x.hi - x.lo > INT32_HI:
        return None
    found = staircase(op, x)
    if found is None:
        return None
    a, z = found.window()
    moving = (z - a)[found.gain > 0]
    room = WORD - int(moving.max(initial=1)).bit_length()
    codes = max(abs(op.lo), abs(op.hi)) + op.hi - op.lo + 2
    shift = 31 - int(codes).bit_length()
    ways = [(count, False) for count in range(1, MOST_PARTS + 1)] + [(MOST_PARTS, True)]
    for signs in (False, True) if op.rounding == "tflite_double" else (False,):
        for count, fine in ways:
            h = min(room, (FINEST - shift) // max(count - 1, 1))
            low = h * (count - 1)
            lines = found.lines((a, z), shift + low, 1 << low - h * fine, signs)
            if lines is not None and int((lines.m >> low).max()) < 1 << WORD:
                # what is taken off for a sign is whole
                if not fine or not np.any(lines.less & ((1 << low) - 1)):
                    return Parts(lines, a, z - a, count, h, op.lo, fine)
    return None
