"""A rising requantize as the places where its code changes, and the lines that have the same ones.

A line is y = low + ((x - a) * m + b) >> s. It is equal to the requantize on the window [a, z] if, for each
code low + k and the first x = t[k] that reaches it,

    (t[k] - a) * m + b  >=  k * 2^s        and        (t[k] - 1 - a) * m + b  <  k * 2^s

where these x are in the window. So for a given m and s the codes leave an interval for b.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Value
from edgeternary.ops import Requantize

MOST = 255  # steps, those of 8 bits
NEAR = (0, 1, -1, 2, -2, 3, -3)  # multipliers beside the nearest one that are tried
ANY = 1 << 62
STEEPEST = 1 << 52  # multiplier that a float64 still holds

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lines:
    """m and b of each channel, and less for the b - less where x < 0, each (C,); the s of all."""

    m: Ints
    b: Ints
    less: Ints
    s: int


@dataclass(frozen=True)
class Staircase:
    """The places of each channel.

    t       (C, K): the first x whose code is low + 1 + k or more; lo where all x are, hi + 1 where none is
    lo, hi  the interval of x
    gain    (C,) float64: codes for each unit of x
    """

    t: Ints
    lo: int
    hi: int
    gain: NDArray[np.float64]

    def window(self) -> tuple[Ints, Ints]:
        """(a, z), each (C,): below a the code is the lowest one, above z the highest one."""
        first, last = self.t[:, 0], self.t[:, -1]
        a = np.where((first > self.lo) & (first <= self.hi), first, self.lo)
        z = np.where(last > self.hi, self.hi, np.maximum(last - 1, a))
        return a, z

    def lines(
        self, window: tuple[Ints, Ints], s: int, unit: int = 1, signs: bool = False, clamped: bool = False
    ) -> Lines | None:
        """One for each channel, with a b that is a multiple of `unit`; None where a channel has none.

        window   (a, z)
        signs    another b where x < 0, which a rounding of halves away from zero needs
        clamped  y is clamped later, so a line may leave the codes
        """
        slopes = np.ldexp(self.gain, s)
        if slopes.max() >= STEEPEST:
            return None
        first, last = (end[:, None] for end in window)
        always = np.full(first.shape, not clamped)
        least_x = np.hstack([first, np.maximum(self.t, first)])
        most_x = np.hstack([np.minimum(self.t - 1, last), last])
        least, most = np.hstack([always, self.t <= last]), np.hstack([self.t > first, always])
        heights = np.arange(self.t.shape[1] + 2, dtype=np.int64) << s
        nearest = np.rint(slopes).astype(np.int64)
        m, b, less = (np.zeros(len(first), np.int64) for _ in range(3))
        left = np.ones(len(first), bool)
        for near in NEAR:
            trial = np.maximum(nearest + near, 0)
            low = heights[:-1] - (least_x - first) * trial[:, None]
            top = heights[1:] - 1 - (most_x - first) * trial[:, None]
            if signs:
                above, good = _between(low, top, least & (least_x >= 0), most & (most_x >= 0), unit)
                below, fits = _between(low, top, least & (least_x < 0), most & (most_x < 0), unit)
                good, change = good & fits, above - below
            else:
                above, good = _between(low, top, least, most, unit)
                change = 0 * above
            good &= left
            m[good], b[good], less[good] = trial[good], above[good], change[good]
            left &= ~good
            if not left.any():
                return Lines(m, b, less, s)
        return None


def _between(low: Ints, top: Ints, least: Bools, most: Bools, unit: int) -> tuple[Ints, Bools]:
    """A multiple of `unit` from those of `low` up to those of `top` that count, and whether there is one."""
    start = np.where(least, low, -ANY).max(axis=1)
    end = np.where(most, top, ANY).min(axis=1)
    found = np.where(start > -ANY, -(-start // unit) * unit, np.where(end < ANY, end // unit * unit, 0))
    return found, found <= end


@lru_cache(maxsize=256)
def staircase(op: Requantize, x: Value) -> Staircase | None:
    """That of `op` on the interval of `x`; None for channels that fall, and for outputs of many codes."""
    if op.m.min() < 0 or not 0 < op.hi - op.lo <= MOST:
        return None
    codes = np.arange(op.lo + 1, op.hi + 1)[:, None]
    below = np.full((len(codes), x.channels), x.lo - 1, np.int64)
    above = np.full_like(below, x.hi + 1)
    while np.any(above - below > 1):
        at = (below + above) >> 1
        reached, wide = op.ref(at.clip(x.lo, x.hi)) >= codes, above - below > 1
        above = np.where(wide & reached, at, above)
        below = np.where(wide & ~reached, at, below)
    places = np.ascontiguousarray(above.T)
    constant = ((places <= x.lo) | (places > x.hi)).all(axis=1)
    gain = np.ldexp(op.m.astype(np.float64), -op.s.astype(np.int64))
    return Staircase(places, x.lo, x.hi, np.where(constant, 0.0, gain))
