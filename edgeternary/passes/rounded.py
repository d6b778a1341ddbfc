"""A monotone rounded function of an accumulator as the requantize that is equal on its whole interval.

Rules of rounding differ: away from zero, a float64 product, a quotient. y = (x * m + b + 2^(s-1)) >> s is
equal to such a function f on [lo, hi] if, for each code v that f reaches at t[v] first,

    v * 2^s - t[v] * m  <=  b + 2^(s-1)  <  v * 2^s - (t[v] - 1) * m

so for a given m and s the codes leave an interval for b. With m of 31 bits it is empty only where f comes
closer to a boundary between two codes than 2^-31 of its value, and on the other side of it than m does;
outputs of 16 bits have such places, which are then listed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir.types import INT32_HI
from edgeternary.ops.requantize import MAX_SHIFT

Ints = NDArray[np.int64]
Function = Callable[[Ints, slice], Ints]
TOGETHER = 1 << 20  # places of channels that are found at the same time
# bits of a multiplier, and how large a product may be: in form B, which has 32-bit products, and in form C
SHORT, LONG = (15, 1 << 30), (31, 1 << 62)
COARSER = 20  # bits fewer that are tried, for constants that do not fit b otherwise
ENOUGH = 3  # of those, where a few places are wrong with each
MOST = 4080  # places of a channel that may be wrong
NEAR = (0, 1, -1, 2, -2)  # multipliers beside the nearest one that are tried


@dataclass(frozen=True)
class Rounded:
    """m, b, s of a requantize with the rounding half_up, each int32 (C,), and where it is wrong.

    f(x) = that + sign * (#{x >= right} - #{x >= wrong}), both int64 (C, K), ascending; K may be 0
    sign (C,): -1 where f falls
    """

    m: NDArray[np.int32]
    b: NDArray[np.int32]
    s: NDArray[np.int32]
    right: Ints
    wrong: Ints
    sign: NDArray[np.int32]

    def at(self, channels: NDArray[np.intp]) -> "Rounded":
        """Those of some channels."""
        return Rounded(
            self.m[channels], self.b[channels], self.s[channels], self.right[channels], self.wrong[channels],
            self.sign[channels],
        )  # fmt: skip


def rounded(f: Function, gain: NDArray[np.float64], x: tuple[int, int], y: tuple[int, int]) -> Rounded | None:
    """Finds m, b and s of each channel; None if some channel would be wrong in more than MOST places.

    f     int64 (C, n), a row for each channel, and the slice of all channels that they are, to integers of
          that shape; f(x) is gain * x plus a constant but for its rounding, so monotone in each channel
    gain  (C,) float64, of either sign
    x, y  the first and the last x; the clamp that follows: codes outside it need not be right
    """
    down = gain < 0
    sign = np.where(down, -1, 1).astype(np.int64)
    codes = np.arange(y[0] + 1, y[1] + 1, dtype=np.int64)
    each = max(TOGETHER // max(len(codes), 1), 1)
    parts = [slice(start, min(start + each, len(gain))) for start in range(0, len(gain), each)]
    channels = [c for part in parts for c in _channels(f, part, gain, codes, x, y)]
    found = _exact(channels, *SHORT) or [channel.numbers(*LONG) for channel in channels]
    most = max(len(channel.right) for channel in found)
    if most > MOST:
        return None
    right, wrong = (
        np.sort(
            np.stack(
                [
                    _padded(1 - places if falls else places, most, x[1] + 1)
                    for places, falls in zip(side, down, strict=True)
                ]
            ),
            axis=1,
        )
        for side in ([c.right for c in found], [c.wrong for c in found])
    )
    m, b, s = np.array([(c.m, c.b, c.s) for c in found], np.int64).T
    return Rounded(
        (m * sign).astype(np.int32), b.astype(np.int32), s.astype(np.int32), right, wrong,
        sign.astype(np.int32),
    )  # fmt: skip


def _channels(
    f: Function, part: slice, gain: NDArray[np.float64], codes: Ints, x: tuple[int, int], y: tuple[int, int]
) -> "list[_Rising]":
    """Some channels, each turned round where it falls."""
    slope = np.abs(gain[part])[:, None]
    sign = np.where(gain[part] < 0, -1, 1).astype(np.int64)[:, None]
    ends = np.where(sign < 0, np.array([[-x[1], -x[0]]]), np.array([[x[0], x[1]]])).astype(np.int64)

    def rising(at: Ints) -> Ints:
        return f(sign * at, part)

    first, last = rising(ends[:, :1]), rising(ends[:, 1:])
    t = _places(rising, slope, codes[None], ends, first)
    reach = np.clip(np.concatenate([first, last], 1), *y)
    return [
        _Rising(codes, row, (int(a), int(b)), (int(lo), int(hi)), float(g), y)
        for row, (a, b), (lo, hi), (g,) in zip(t, reach, ends, slope, strict=True)
    ]


def _exact(channels: "list[_Rising]", bits: int, farthest: int) -> "list[_Numbers]":
    """The numbers of all channels; none where one of them is wrong somewhere."""
    found = []
    for channel in channels:
        found.append(channel.numbers(bits, farthest))
        if len(found[-1].right):
            return []
    return found


def _padded(places: Ints, count: int, beyond: int) -> Ints:
    return np.append(places, np.full(count - len(places), beyond, np.int64))


def _places(
    f: Callable[[Ints], Ints], gain: NDArray[np.float64], codes: Ints, ends: Ints, first: Ints
) -> Ints:
    """(C, V): the first x in [lo, hi] with f(x) >= code, or hi + 1; guessed from the slope, then bisected."""
    lo, hi = ends[:, :1], ends[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        guess = np.nan_to_num(lo + (codes - first) / gain, nan=0.0, posinf=2.0**40, neginf=-(2.0**40))
    at = np.clip(np.rint(np.clip(guess, -(2.0**40), 2.0**40)).astype(np.int64), lo, hi)
    below, above = lo - 1 + 0 * at, hi + 1 + 0 * at  # f(below) < code <= f(above), the ends beyond included
    step = np.full(at.shape, 2, np.int64)
    while np.any(above - below > 1):
        reached = f(at) >= codes
        above = np.where(reached, np.minimum(above, at), above)
        below = np.where(reached, below, np.maximum(below, at))
        # first look near the guess in growing steps, then halve what is left
        near = np.where(reached, at - step, at + step)
        inside = (near > below) & (near < above)
        at = np.clip(np.where(inside, near, below + (above - below) // 2), lo, hi)
        step = step * 4
    return above


@dataclass(frozen=True)
class _Numbers:
    """m, b, s of one rising channel; `wrong` are the places that they give in place of `right`."""

    m: int
    b: int
    s: int
    right: Ints
    wrong: Ints


@dataclass(frozen=True)
class _Rising:
    """A rising function: it reaches codes[k] at t[k], reach[0] at ends[0] and reach[1] at ends[1]."""

    codes: Ints
    t: Ints
    reach: tuple[int, int]
    ends: tuple[int, int]
    gain: float
    clamp: tuple[int, int]

    def numbers(self, bits: int, farthest: int) -> _Numbers:
        """Those of a multiplier of `bits`, products below `farthest`, wrong in fewest places."""
        (first, last), (lo, hi), none = self.reach, self.ends, np.zeros(0, np.int64)
        if first == last:
            return _Numbers(0, first, 0, none, none)
        low_x, low_y, top_x, top_y = self._bounds()
        finest = max(min(bits - int(np.frexp(self.gain)[1]), MAX_SHIFT), 0)
        nearest: _Numbers | None = None
        for s in range(finest, max(finest - COARSER, -1), -1):
            middle, half = int(np.rint(np.ldexp(self.gain, s))), (1 << s) >> 1
            largest = max(max(abs(lo), abs(hi), 1) * (middle + 2), (max(abs(first), abs(last)) + 1) << s)
            if middle >= (1 << bits) - 2 or largest >= farthest:
                continue
            for m in (middle + d for d in NEAR):
                low = int((low_y * (1 << s) - low_x * m).max()) - half
                top = int((top_y * (1 << s) - top_x * m).min()) - 1 - half
                b = min(max(0, low), top) if low <= top else (low + top) // 2
                if m <= 0 or abs(b) > INT32_HI:
                    continue
                if low <= top:
                    return _Numbers(m, b, s, none, none)
                # the first x with x * m + b + half >= code * 2^s
                made = np.clip(-((half + b - self.codes * (1 << s)) // m), lo, hi + 1)
                off = made != self.t
                if nearest is None or off.sum() < len(nearest.right):
                    nearest = _Numbers(m, b, s, self.t[off], made[off])
            if nearest is not None and len(nearest.right) <= MOST and finest - s >= ENOUGH:
                break
        return nearest or _Numbers(0, first, 0, self.t, 0 * self.t + hi + 1)

    def _bounds(self) -> tuple[Ints, Ints, Ints, Ints]:
        """x and y with f(x) >= y, and with f(x) < y; what is clamped is left free."""
        (first, last), (lo, hi) = self.reach, self.ends
        inside = (self.codes > first) & (self.codes <= last)
        at, codes = self.t[inside], self.codes[inside]
        low = (np.append(at, lo), np.append(codes, first)) if first > self.clamp[0] else (at, codes)
        top = (np.append(at - 1, hi), np.append(codes, last + 1)) if last < self.clamp[1] else (at - 1, codes)
        return (*low, *top)
