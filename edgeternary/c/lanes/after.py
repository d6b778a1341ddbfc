"""What happens to sums of lanes, in every lane at once.

A sum S fits its lane of B bits once a constant is added. What follows decides which:

    shift   requantize in form A, y = clamp((S + b) >> s, 0, 2^n - 1) + lo; the lane holds S + b + 2^(B-1)
    scale   requantize in form B, y = clamp((S * m + b) >> s, 0, 2^n - 1) + lo, one lane after the other; the
            lane holds S - mid + 2^(B-1), where mid is the middle of the interval
    count   thresholds, y = count over k of (S >= t[k]) + lo; the lane holds S - t[0] + 2^(B-1), so that its
            highest bit is the first comparison; the others follow after subtracting t[k] - t[k - 1]. A
            channel whose sums need all B bits holds S - min(S), and t[k] - min(S) is compared in two steps,
            the highest bit apart from the others
    select  the same for few thresholds on a core that compares lanes (USUB8 and SEL, or VPT); the lane holds
            S - min(S)
    halves  thresholds of sums that need two lanes, see `lanes/halves`
    bytes   requantize in form A to bytes of natural layout, see `lanes/to_bytes`
    sums    everything else: the lane holds S - min(S), and is taken out of the word for the usual epilogue;
            this also serves sums that are too long for one lane, in several parts

Each is offered only where the interval of S, from the real weights, proves that every lane stays in [0, 2^B).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeternary.c import epilogue
from edgeternary.c.lanes.program import Group, Wide
from edgeternary.c.layouts import lane_unit
from edgeternary.c.stepping import Stepping
from edgeternary.ir import IntArray, Value, parse
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Conv2d, Requantize, Threshold
from edgeternary.passes.affine import Affine

MAX_LEVELS = 15
MAX_TOP = 8  # masks of Thumb-2 have eight bits a lane


@dataclass(frozen=True)
class Reach:
    """Codes in a lane lie in [lo, hi]; an accumulator is unit * S + offset[c]."""

    lo: int
    hi: int
    unit: int
    offset: Wide
    bits: int

    @staticmethod
    def of(op: Conv2d, codes: IntArray, factors: Wide, x: Value, padded: bool, bits: int) -> Reach:
        """For weights `codes` (out, ...), those of `op` times `factors`, on x in lanes of `bits` bits."""
        lo, hi, unit = x.lo, x.hi, lane_unit(x.type)
        if padded:
            lo, hi = min(lo, op.pad_value), max(hi, op.pad_value)
        total = codes.reshape(len(codes), -1).astype(np.int64).sum(axis=1)
        offset = factors * op.bias.astype(np.int64) + x.type.lo * total
        return Reach((lo - x.type.lo) // unit, (hi - x.type.lo) // unit, unit, offset, bits)

    @property
    def most(self) -> int:
        """How many terms a sum may have in one lane."""
        return (2**self.bits - 1) // max(self.hi - self.lo, 1)


@dataclass(frozen=True)
class After:
    """kind      shift, scale, count, select, halves, bytes or sums
    start     (C,) constant that a lane starts from, without the parts of `sums`
    shift     (C,) right shift;  top  n
    hard      (C,) shift: whether a sum can exceed 2^(n + s); bytes: whether it can leave [lo, hi];
              count: whether it needs all bits
    limits    count: (levels, C) thresholds, or from one to the next; select: (levels, C) thresholds;
              scale: (2, C) multiplier and what is added to the product; halves: (levels, C) of half the sum
    odd       halves: (levels, C), 1 where the sum is rounded up before it is halved
    codes     bytes, without saturating instructions: the code of each shifted lane that is hard
    """

    kind: str
    start: Wide
    shift: Wide
    hard: Wide
    limits: Wide
    top: int = 0
    odd: Wide | None = None
    codes: IntArray | None = None

    @property
    def levels(self) -> int:
        """Thresholds."""
        return len(self.limits)

    def odds(self, channel: int) -> list[bool]:
        """`odd` of a channel, by level."""
        return [False] * self.levels if self.odd is None else self.odd[:, channel].astype(bool).tolist()


@dataclass(frozen=True)
class Interval:
    """[low, high] of each channel's sum."""

    low: Wide
    high: Wide


def signs(follow: object, count: int) -> Wide:
    """(C,) factors of the weights: -1 where what follows falls with the sum, 0 where it ignores it."""
    if isinstance(follow, Requantize) and follow.rounding != "tflite_double":
        m = follow.m.astype(np.int64)
        return m if np.abs(m).max() <= 1 else np.ones(count, np.int64)
    if isinstance(follow, Threshold):
        return np.where(epilogue.negated(follow, count), -1, 1).astype(np.int64)
    return np.ones(count, np.int64)


def plan(follow: object, sums: Interval, reach: Reach, out: Value, selects: int = 0) -> After | None:
    """shift, scale, count or select where lanes prove wide enough, else None. `sums` include the factors.

    selects  most thresholds for which select pays; 0 on a core that cannot compare lanes
    """
    low, high = sums.low, sums.high
    if isinstance(follow, Requantize):
        return _shift(follow, low, high, reach, out) or _scale(follow, low, high, reach, out)
    if isinstance(follow, Threshold):
        return _count(follow, low, high, reach, out, selects)
    return None


def clamp_bits(q: Requantize, reach: Reach, out: Value) -> int:
    """n, where the result of q is lo + (0 .. 2^n - 1) with lo the lowest code; 0 where that is not so."""
    top = (q.hi - q.lo + 1).bit_length() - 1
    exact = 2**top == q.hi - q.lo + 1 and q.lo == out.type.lo and reach.bits == 16
    return top if exact and top <= MAX_TOP and q.rounding != "tflite_double" and q.s.max() <= 31 else 0


def half(q: Requantize) -> Wide:
    """What rounding adds before the shift."""
    s = q.s.astype(np.int64)
    return np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * np.int64(q.rounding != "floor")


def _scale(q: Requantize, low: Wide, high: Wide, reach: Reach, out: Value) -> After | None:
    top, s, m = clamp_bits(q, reach, out), q.s.astype(np.int64), q.m.astype(np.int64)
    if np.abs(m).max() <= 1:
        m = np.ones_like(m)  # the weights have it in them
    added = m * reach.offset + q.b + half(q) + (np.int64(q.zero - q.lo) << s)
    m = m * reach.unit
    mid, edge = (low + high + 1) // 2, 2 ** (reach.bits - 1)
    if not top or np.abs(m).max() >= edge or (low - mid).min() < -edge or (high - mid).max() >= edge:
        return None
    added = added + m * mid
    ends = np.stack([added, m * (low - mid) + added, m * (high - mid) + added])
    if ends.min() < INT32_LO or ends.max() > INT32_HI:
        return None
    return After("scale", edge - mid, s, np.zeros_like(s), np.stack([m, added]), top)


def moved(q: Requantize, reach: Reach) -> tuple[Wide, Wide] | None:
    """(b, s) of form A, (S + b) >> s before it is clamped; None where a lane's unit hinders that."""
    s = q.s.astype(np.int64)
    b = reach.offset + q.b + half(q) + (np.int64(q.zero) << s)
    if reach.unit == 2:
        return (b >> 1, s - 1) if s.min() >= 1 else None
    return b, s


def _shift(q: Requantize, low: Wide, high: Wide, reach: Reach, out: Value) -> After | None:
    top, found = clamp_bits(q, reach, out), moved(q, reach)
    if np.abs(q.m).max() > 1 or not top or found is None:
        return None
    b, s = found
    b = b - (np.int64(q.lo) << s)
    b = np.where(high + b < 0, -1 - high, b)  # always below: any negative number will do
    ceiling = np.int64(1) << (top + s)
    b = np.where(low + b >= ceiling, ceiling - low, b)  # always above
    edge = 2 ** (reach.bits - 1)
    if (low + b).min() < -edge or (high + b).max() >= edge or s.max() >= reach.bits - 1:
        return None
    return After(
        "shift", b + edge, s, (high + b >= ceiling).astype(np.int64), np.zeros((0, len(s)), np.int64), top
    )


def limits(follow: Threshold, low: Wide, high: Wide, reach: Reach, out: Value) -> Wide | None:
    """(C, levels) of sums in [low, high], each from low to high + 1; None where a count is not the code."""
    stepping = Stepping.of(follow).negate(epilogue.negated(follow, len(low))).spread()
    stepping = stepping.on_raw(Affine(reach.unit, reach.offset, int(low.min()), int(high.max())))
    if not stepping.direct or stepping.levels > MAX_LEVELS or parse(follow.type) != out.type:
        return None
    return np.clip(stepping.t, low[:, None], high[:, None] + 1)


def _count(follow: Threshold, low: Wide, high: Wide, reach: Reach, out: Value, selects: int) -> After | None:
    t = limits(follow, low, high, reach, out)
    if t is None:
        return None
    edge, none, levels = 2 ** (reach.bits - 1), np.zeros(len(t), np.int64), t.shape[1]
    if levels <= selects and (high - low).max() + 1 < 2 * edge:
        return After("select", -low, none, none, (t - low[:, None]).T)
    easy = ((low[:, None] - t).min(axis=1) >= -edge) & ((high[:, None] - t).max(axis=1) < edge)
    if (high - low)[~easy].max(initial=0) + 1 >= 2 * edge:
        return None
    steps = np.where(easy[:, None], np.diff(t, axis=1, prepend=t[:, :1]), t - low[:, None]).T
    return After("count", np.where(easy, edge - t[:, 0], -low), none, (~easy).astype(np.int64), steps)


def sums(count: int) -> After:
    none = np.zeros(count, np.int64)
    return After("sums", none, none, none, np.zeros((0, count), np.int64))


def part_start(group: Group, part: int, reach: Reach) -> list[int]:
    """What the lanes of `sums` start from: minus the smallest sum of the part."""
    start = [0] * group.size
    for load in group.parts[part]:
        for terms in load.terms:
            for i, sign in terms:
                start[i] += reach.hi if sign < 0 else -reach.lo
    return start


def limit_words(after: After, group: Group, bits: int, ones: int) -> list[int]:
    """The words after the starts of a group: thresholds, or what makes the highest bit of a lane tell that a
    shifted sum is too large, or for each channel of `scale` the multiplier and what is added."""
    channels, edge = slice(group.first, group.first + group.size), 2 ** (bits - 1)
    limits = after.limits[:, channels]
    if after.kind == "scale":
        return [word % 2**32 for word in limits.T.ravel().tolist()]
    if after.kind == "select":
        return [word * ones for word in limits.T.ravel().tolist()]
    if after.kind == "shift":
        limits = np.where(
            after.hard[channels], edge - (np.int64(1) << (after.top + after.shift[channels])), 0
        )
    if after.kind in ("count", "halves"):
        limits = np.where(after.hard[channels], limits % edge, limits)
    return [word * ones % 2**32 for word in limits.ravel().tolist()]
