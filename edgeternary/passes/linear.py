"""Thresholds as the requantize in form A or B that is equal on every input, where there is one.

The thresholds of a uniform quantiser lie at equal distances, rounded up to integers. y = (x * m + b) >> s
reaches code v at the right place, t[v], exactly if

    v * 2^s - t[v] * m  <=  b  <  v * 2^s - (t[v] - 1) * m

so for a given m and s all codes leave an interval for b, and none of it is a matter of rounding. Per channel
the smallest s is taken for which some m has a b; it is tried with every m that the outer thresholds allow. A
wide input with steps of thousands may have none: int32 leaves m too few digits.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Requantize, Threshold

M_MAX = (1 << 15) - 1  # form B: a 16-bit multiplier
S_MAX = 31
TRIED = 4096  # multipliers for one shift

Ints = NDArray[np.int64]


@lru_cache(maxsize=1024)
def linear(op: Threshold, x: Value) -> Requantize | None:
    """The requantize of forms A or B equal to `op` for each x in [x.lo, x.hi]; None if there is none.

    Only for steps of -1, 0 and +1.
    """
    t, base, step = (a.astype(np.int64) for a in (op.t, op.base, op.step))
    if np.abs(step).max() > 1:
        return None
    ends = base + step * np.stack([(t <= x.lo).sum(axis=1), (t <= x.hi).sum(axis=1)])
    clamp = int(ends.min()), int(ends.max())
    found = [_channel(*row, x, clamp) for row in zip(t, base.tolist(), step.tolist(), strict=True)]
    if any(channel is None for channel in found):
        return None
    m, b, s = np.array(found, np.int64).T
    made = Requantize(
        name=op.name, inputs=op.inputs, m=m.astype(np.int32), b=b.astype(np.int32), s=s.astype(np.int32),
        zero=0, lo=clamp[0], hi=clamp[1], rounding="floor", type=op.type,
    )  # fmt: skip
    return made if made.form(x) in ("A", "B") else None


def _channel(t: Ints, base: int, step: int, x: Value, clamp: tuple[int, int]) -> tuple[int, int, int] | None:
    """(m, b, s) of one channel."""
    if step < 0:  # x >= t is -x <= -t: the codes rise with -x, and -x reaches them at 1 - t
        t, lo, hi = 1 - t[::-1], -x.hi, -x.lo
        base -= len(t)
    else:
        lo, hi = x.lo, x.hi
    if step == 0:
        return 0, base, 0
    first, last = base + int((t <= lo).sum()), base + int((t <= hi).sum())
    if first == last:
        return 0, first, 0
    codes = np.arange(first + 1, last + 1)
    at = t[codes - base - 1]  # the first x with that code
    # y(xs) >= ys, and y(xs) < ys, with what is clamped left free
    xs, ys = (np.append(at, lo), np.append(codes, first)) if first > clamp[0] else (at, codes)
    ends, tops = (np.append(at - 1, hi), np.append(codes, last + 1)) if last < clamp[1] else (at - 1, codes)
    least, most = _slopes(at)
    furthest = max(abs(lo), abs(hi))
    for s in range(S_MAX + 1):
        top = min(int(most * 2**s) + 1, M_MAX, INT32_HI // furthest)
        m = np.arange(max(int(least * 2**s), 1), top + 1)[:TRIED, None]
        low = (ys * 2**s - xs * m).max(axis=1, initial=-INT32_HI)
        high = (tops * 2**s - ends * m).min(axis=1, initial=INT32_HI) - 1
        b = np.clip(0, low, high)  # nearest to 0
        fits = np.flatnonzero((low <= high) & (m[:, 0] * furthest + np.abs(b) <= INT32_HI))
        if fits.size:
            middle = fits[len(fits) // 2]
            return int(m[middle, 0]) * step, int(b[middle]), s
    return None


def _slopes(at: Ints) -> tuple[float, float]:
    """Bounds of m / 2^s that the outer places set: codes / (run + 1), codes / (run - 1)."""
    codes, run = len(at) - 1, int(at[-1] - at[0])
    return codes / (run + 1), codes / (run - 1) if run > 1 else M_MAX
