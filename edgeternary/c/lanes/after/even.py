"""Thresholds that are 2^s apart, which are a shift: y = clamp((x + b) >> s, 0, levels) + lo."""

import numpy as np

from edgeternary.c.lanes.program import Wide
from edgeternary.c.stepping import Stepping
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Requantize, Threshold

LEAST = 3  # thresholds for which one shift in lanes is no slower than comparisons
MAX_SHIFT = 14  # of a lane of 16 bits


def as_shift(op: Threshold, x: Value) -> Requantize | None:
    """The requantize of form A that equals `op` for every x in its interval; None where there is none."""
    falling = op.step < 0
    stepping = Stepping.of(op).negate(falling).spread()
    if not stepping.direct or stepping.unit != 1 or stepping.levels < LEAST:
        return None
    low = np.where(falling, -x.hi, x.lo).astype(np.int64)[:, None]
    high = np.where(falling, -x.lo, x.hi).astype(np.int64)[:, None]
    t = np.clip(stepping.t, low, high + 1)
    found = [_fitted(row, int(lo), int(hi)) for row, lo, hi in zip(t, low[:, 0], high[:, 0], strict=True)]
    s, b = (np.array(column, np.int64) for column in zip(*found, strict=True))
    limits = (np.arange(1, stepping.levels + 1)[None] << s[:, None]) - b[:, None]
    if not np.array_equal(np.clip(limits, low, high + 1), t) or np.abs(b).max() > INT32_HI:
        return None
    lo = stepping.type.lo
    return Requantize(
        name=op.name, inputs=op.inputs, m=np.where(falling, -1, 1).astype(np.int32), b=b.astype(np.int32),
        s=s.astype(np.int32), zero=lo, lo=lo, hi=stepping.type.hi, rounding="floor", type=op.type,
    )  # fmt: skip


def _fitted(t: Wide, low: int, high: int) -> tuple[int, int]:
    """(s, b) for thresholds of one channel, of which those at its ends may be any further out."""
    inside = np.flatnonzero((t > low) & (t <= high))
    if len(inside) == 0:  # one code alone
        return 0, (-high if t[0] > high else len(t) - low)
    k = int(inside[0])
    gap = int(t[k + 1] - t[k]) if len(inside) > 1 else max(int(high - t[k] + 1), int(t[k]) - low, 1)
    s = min((gap - 1).bit_length(), MAX_SHIFT)
    return s, ((k + 1) << s) - int(t[k])
