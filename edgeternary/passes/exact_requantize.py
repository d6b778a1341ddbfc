"""A requantize that equals a set of steps, from 5 bits on where thresholds are many: found, never fitted.

A rising channel reaches code k from the accumulator t[k] on. floor((x*m + b) / 2^s) does the same where

    m * t[k] + b >= k * 2^s    and    m * (t[k] - 1) + b < k * 2^s    for each k.

With g = m / 2^s, b exists for a given g exactly where g * (q - p) < j - k for all pairs of a reached
point p of a code k and a point q below a code j (the elimination of Fourier and Motzkin). So the gains that
serve are one open interval, and the smallest s with an m in it gives the smallest multiplier.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir.types import INT32_HI
from edgeternary.passes.steps import Steps

MAX_S = 46  # k * 2^s and m * t stay inside int64

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scaling:
    """y = clamp(floor(((x + a) * m + b) / 2^s), lo, hi), one of each for each channel.

    a is 0 but where b alone would leave int32; it belongs into the bias of the layer before.
    """

    m: NDArray[np.int32]
    b: NDArray[np.int32]
    s: NDArray[np.int32]
    a: NDArray[np.int64]


def exact_requantize(found: Steps, lo: int, hi: int, low: int, high: int) -> Scaling | None:
    """m, b, s and a that equal `found` on lo..hi, clamped to the codes low..high; None where none do.

    found: thresholds with steps of -1, 0 or +1, codes within low..high.
    """
    rows = []
    for row in zip(found.t, found.base, found.step, strict=True):
        chosen = _channel(*row, lo, hi, low, high)
        if chosen is None:
            return None
        rows.append(chosen)
    m, b, s = np.array(rows, np.int64).T
    a = np.where(np.abs(b) > INT32_HI, b // np.where(m == 0, 1, m), 0)
    return Scaling(m.astype(np.int32), (b - a * m).astype(np.int32), s.astype(np.int32), a)


def _channel(
    t: NDArray[np.int32], base: int, step: int, lo: int, hi: int, low: int, high: int
) -> tuple[int, int, int] | None:
    if step == 0:
        return 0, int(base), 0
    places = t.astype(np.int64)
    if step > 0:
        places = np.concatenate([[lo], places])  # the first code holds from the start
        codes = int(base) + np.arange(len(places))
    else:  # x <= u is -x >= -u: code base - j is left at t[j], so it holds up to t[j] - 1
        lo, hi = -hi, -lo
        places = np.concatenate([[hi + 1], 1 - places])  # the first code is not passed at the start
        codes = int(base) + 1 - np.arange(len(places))
    inside = (codes > low) & (codes <= high)
    codes, places = codes[inside], places[inside]
    reached, before = places <= hi, places > lo
    k, p = codes[reached], np.maximum(places[reached], lo)
    j, q = codes[before], places[before] - 1
    gains = _gains(k, p, j, q)
    if gains[0] >= gains[1]:
        return None
    for s in range(MAX_S + 1):
        pair = _at(s, gains, k, p, j, q)
        if pair:
            m, b = pair
            return (m if step > 0 else -m), b, s
    return None


def _at(s: int, gains: tuple[float, float], k: Ints, p: Ints, j: Ints, q: Ints) -> tuple[int, int] | None:
    first = int(np.floor(np.ldexp(gains[0], s)))
    last = first + 2 if np.isinf(gains[1]) else int(np.ceil(np.ldexp(gains[1], s)))
    if last - first < 2:
        return None  # no integer between them
    middle = (first + last) // 2
    for m in dict.fromkeys((middle, first + 1, last - 1, middle + 1)):
        if not -INT32_HI <= m <= INT32_HI:
            continue
        b = int(((k << s) - m * p).max(initial=-(2**62)))
        top = int(((j << s) - m * q).min(initial=2**62)) - 1
        b = b if b > -(2**62) else top
        if b <= top:
            return m, b
    return None


def _gains(k: Ints, p: Ints, j: Ints, q: Ints) -> tuple[float, float]:
    """The open interval of gains for which an offset exists."""
    distance = (q[None] - p[:, None]).astype(np.float64)
    codes = (j[None] - k[:, None]).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = codes / distance
    most = ratio[distance > 0].min(initial=np.inf)
    least = ratio[distance < 0].max(initial=0.0)
    return float(least), float(most)
