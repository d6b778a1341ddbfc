"""Thresholds of sums that are too long for a lane of B bits, in two parts P and Q that are not.

Constants p and q keep P + p and Q + q in [0, 2^B). Half of their sum, H = (P + p + Q + q) >> 1, needs no more
than B bits, and is made in all lanes at once: (x & y) + ((x ^ y) >> 1). With s = p + q, for whole numbers

    P + Q >= t   where   H >= (t + s) / 2                                            t + s even
                         H + ((x ^ y) & 1) >= (t + s + 1) / 2, half of it rounded up  t + s odd

s = 2^B - t[0] makes the highest bit of H the first comparison. Where that s, or what later comparisons
subtract, would leave a lane, s is minus the smallest sum, and all bits of H are compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import after as lanes_after
from edgeternary.c.lanes.after import After, Interval, Reach
from edgeternary.c.lanes.program import Group, Wide
from edgeternary.ir import Value
from edgeternary.ops import Threshold

PARTS = 2
MAX_LEVELS = 3


def plan(follow: object, sums: Interval, reach: Reach, out: Value) -> After | None:
    """None where there are no thresholds, or the sums are too long for two parts."""
    low, high, most = sums.low, sums.high, 2**reach.bits - 1
    if not isinstance(follow, Threshold) or (high - low).max() >= PARTS * most - 1:
        return None
    t = lanes_after.limits(follow, low, high, reach, out)
    if t is None or t.shape[1] > MAX_LEVELS:
        return None
    easy = _easy(t, low, high, most)
    start = np.where(easy, most + 1 - t[:, 0], -low)
    above = np.where(easy[:, None], t - t[:, :1], t - low[:, None])
    odd = above % 2
    none = np.zeros(len(t), np.int64)
    return After("halves", start, none, (~easy).astype(np.int64), ((above + odd) // 2).T, odd=odd.T)


def _easy(t: Wide, low: Wide, high: Wide, most: int) -> NDArray[np.bool_]:
    """(C,): whether a channel's lanes hold H, and what all comparisons leave of it."""
    s = most + 1 - t[:, 0]
    return (low + s >= t.max(axis=1) - t[:, 0]) & (high + s <= PARTS * most)


def part_starts(after: After, group: Group, reach: Reach) -> list[int]:
    """p of each output, then q: the smallest ones, and what s has beyond them, first in p."""
    lows = [lanes_after.part_start(group, part, reach) for part in range(PARTS)]
    starts = after.start[group.first : group.first + group.size].tolist()
    first = []
    for i, start in enumerate(starts):
        terms = sum(index == i for load in group.parts[0] for word in load.terms for index, _ in word)
        room = 2**reach.bits - 1 - terms * (reach.hi - reach.lo)
        first.append(lows[0][i] + min(start - lows[0][i] - lows[1][i], room))
    return first + [start - p for start, p in zip(starts, first, strict=True)]
