"""Requantize in form A from lanes of 16 bits to bytes of natural layout.

    y = clamp((S + b) >> s, lo, hi)        lo .. hi are all numbers of n bits, two's complement or unsigned

The lane holds S + b + 2^15. Where the real weights prove that (S + b) >> s never leaves [lo, hi], the byte is
in the bits s .. s + 7 of the lane, and nothing is clamped: most layers with few weights an output are like
that. Elsewhere cores with saturating instructions saturate first. The others hold S + b - (first << s), where
`first` is the smallest shifted sum, and a table says what each shifted sum becomes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import after as lanes_after
from edgeternary.c.lanes.after import After, Interval, Reach
from edgeternary.c.lanes.program import Wide
from edgeternary.ir import Value
from edgeternary.ops import Requantize

EDGE = 2**15
MOST = 2**16  # of a lane
MAX_SHIFT = 7  # so that the byte lies below the highest bit of a lane
MAX_CODES = 2048


def plan(follow: object, sums: Interval, reach: Reach, out: Value, table: bool) -> After | None:
    """None for other ops, for lanes that are too narrow, and for tables of more than MAX_CODES.

    table  the core has no saturating instructions
    """
    if not isinstance(follow, Requantize) or np.abs(follow.m).max() > 1:
        return None
    top, found = lanes_after.clamp_bits(follow, reach, out), lanes_after.moved(follow, reach)
    if not top or found is None or follow.lo not in (0, -(1 << top - 1)):
        return None
    b, s = found
    floor, ceiling = np.int64(follow.lo) << s, np.int64(follow.hi + 1) << s
    b = np.where(sums.high + b < floor, floor - sums.high, b)  # always below
    b = np.where(sums.low + b >= ceiling, ceiling - 1 - sums.low, b)  # always above
    low, high = sums.low + b, sums.high + b
    hard = (low < floor) | (high >= ceiling)
    outside = (s > MAX_SHIFT) | (low < -EDGE) | (high >= EDGE)
    none = np.zeros((0, len(s)), np.int64)
    if not table:
        return None if outside.any() else After("bytes", b + EDGE, s, hard.astype(np.int64), none, top)
    hard = hard | outside
    first, last = _shifted(low, high, s, hard)
    start = np.where(hard, b - (np.int64(first) << s), b + EDGE)
    if last - first >= MAX_CODES or (high + start - b).max() >= MOST or s.max() > MAX_SHIFT + 8:
        return None
    codes = np.arange(first, last + 1).clip(follow.lo, follow.hi).astype(np.int32) if hard.any() else None
    return After("bytes", start, s, hard.astype(np.int64), none, top, codes=codes)


def _shifted(low: Wide, high: Wide, s: Wide, hard: NDArray[np.bool_]) -> tuple[int, int]:
    """The smallest and the largest shifted sum of the hard channels."""
    if not hard.any():
        return 0, 0
    return int((low >> s)[hard].min()), int((high >> s)[hard].max())


def cycles(after: After, table: bool) -> float:
    """For one output in both lanes."""
    hard = float(after.hard.mean())
    return 7 + 5 * hard if table else 2.5 + 2 * hard
