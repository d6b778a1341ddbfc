"""A step function of an accumulator as TFLite rescales: a clamped multiplication by one real factor.

TFLite computes the index of a code as clamp(round(v * M), 0, L) with v = F * u + d, where u is the
accumulator, or its negative where the function falls. F multiplies the weights, d goes into the bias, and M
is the product of float32 scales. Kernels round in different ways; what is found here is right in all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir.types import INT32_HI

Ints = NDArray[np.int64]
Limits = tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]
STEPS = 120  # of the search for the slope; each leaves two thirds
MARGIN = 2.0**-21  # relative width that the interval of M needs: float32 scales are 2^-24 apart


@dataclass(frozen=True)
class Staircase:
    """index >= k where u >= t[k - 1], k = 1..L, for u in [lo, hi]; sign: u = sign * accumulator.

    t ascends; a threshold at or below lo is always reached, one above hi never.
    """

    sign: int
    t: Ints
    lo: int
    hi: int


@dataclass(frozen=True)
class Fit:
    """v = factor * u + offset, and the real factor M."""

    factor: int
    offset: int
    scale: float


def staircase(base: int, step: int, t: Ints, levels: int, lo: int, hi: int) -> Staircase:
    """The form of index = base + step * count(x >= t), for x in [lo, hi] and indices 0..levels."""
    k = np.arange(1, levels + 1)
    if step >= 0:
        place = np.ceil((k - base) / max(step, 1)).astype(np.int64)  # the threshold that reaches index k
        found = np.where(k <= base, lo, hi + 1)
        inside = (place >= 1) & (place <= len(t)) & (step > 0)
        found[inside] = t[place[inside] - 1]
        return Staircase(1, found, lo, hi)
    room = (base - k) // -step  # index >= k while at most this many are counted
    found = np.where(room < 0, 1 - lo, -hi)
    inside = (room >= 0) & (room < len(t))
    found[inside] = 1 - t[room[inside]]
    return Staircase(-1, found, -hi, -lo)


def fit(stairs: Staircase, most: int) -> Fit | None:
    """Factor (at most `most`), offset and M that give the staircase in every rounding; None without any.

    With s = 1 / M, level k asks F * a[k] + d >= (k - 1/2) * s > F * b[k] + d, where a[k] is the least u that
    reaches it and b[k] the largest that does not. So d lies in an interval whose length is concave in s.
    """
    reached, never = stairs.t <= stairs.lo, stairs.t > stairs.hi
    if np.all(reached | never):  # a constant: no weights are needed
        return Fit(0, int(reached.sum()), 1.0)
    k = np.arange(1, len(stairs.t) + 1) - 0.5
    above = np.where(reached, stairs.lo, stairs.t).astype(np.float64)
    below = np.where(never, stairs.hi, stairs.t - 1).astype(np.float64)
    limits = (k[~never], above[~never]), (k[~reached], below[~reached])
    slope = _widest(limits, float(stairs.hi - stairs.lo + 2) * 2)
    for factor in dict.fromkeys((1, 2, 3, 5, 8, 16, 32, 64, most)):
        if factor > most:
            continue
        found = _offset(limits, factor, slope * factor)
        if found is not None and right(stairs, found):
            return found
    return None


def _ends(limits: Limits, factor: float, slope: float) -> tuple[float, float]:
    """The interval of d for slope s: d >= the first, d < the second."""
    (up, above), (down, below) = limits
    return float((up * slope - factor * above).max()), float((down * slope - factor * below).min())


def _widest(limits: Limits, top: float) -> float:
    """The slope s of factor 1 for which d has most room, by thirds."""

    def room(slope: float) -> float:
        least, end = _ends(limits, 1.0, slope)
        return end - least

    low, high = 0.0, top
    for _ in range(STEPS):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (a, high) if room(a) < room(b) else (low, b)
    return (low + high) / 2


def _offset(limits: Limits, factor: int, slope: float) -> Fit | None:
    """The integer d in the middle of its interval, and the M in the middle of what d leaves."""
    least, end = _ends(limits, factor, slope)
    offset = math.floor((least + end) / 2 + 0.5)
    (up, above), (down, below) = limits
    high, low = factor * above + offset, factor * below + offset
    if high.min() <= 0:
        return None
    first = float((up / high).max())
    after = float((down[low > 0] / low[low > 0]).min(initial=2 * first))
    return Fit(factor, offset, math.sqrt(first * after)) if after > first * (1 + MARGIN) else None


def right(stairs: Staircase, found: Fit) -> bool:
    """Whether index = clamp(round(v * M)) is the staircase, in every rounding, for all u in [lo, hi]."""
    levels = len(stairs.t)
    points = np.clip(np.concatenate([stairs.t, stairs.t - 1, [stairs.lo, stairs.hi]]), stairs.lo, stairs.hi)
    wanted = np.searchsorted(stairs.t, points, "right")
    v = found.factor * points + found.offset
    if np.abs(v).max() * max(1.0, 2 * found.scale) > INT32_HI:
        return False
    return all(np.array_equal(np.clip(y, 0, levels), wanted) for y in _roundings(v, found.scale))


def _roundings(v: Ints, scale: float) -> list[Ints]:
    """v * scale as kernels round it: float64 half away, one rounding of 31 bits, two roundings."""
    real = v * scale
    away = np.trunc(real) + np.sign(real) * (np.abs(real - np.trunc(real)) >= 0.5)
    fraction, shift = math.frexp(scale)
    m = math.floor(fraction * 2.0**31 + 0.5)
    if m == 1 << 31:
        m, shift = m // 2, shift + 1
    left, right = max(shift, 0), max(-shift, 0)
    product = (v << left) * m  # below 2^62
    once = (product + (1 << (30 + right))) >> (31 + right)
    high = (product + (1 << 30)) >> 31
    half = (1 << right) >> 1
    twice = np.sign(high) * ((np.abs(high) + half) >> right)
    return [away.astype(np.int64), once, twice]
