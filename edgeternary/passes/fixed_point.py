"""A real affine function as the integer one of requantize: the only place where m, b and s are chosen."""

import numpy as np
from numpy.typing import NDArray

M_MAX = (1 << 15) - 1  # form B: a 16-bit multiplier
INT32_MAX = (1 << 31) - 1
S_MAX = 30

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def fixed_point(gain: Floats, offset: Floats, bound: int) -> tuple[Ints, Ints, Ints]:
    """Finds (m, b, s), each (C,) int64, with round_half_up((x*m + b) / 2^s) close to round(x*gain + offset).

    gain, offset: (C,) float64. bound: |x| <= bound. Per channel s is the largest shift with |m| < 2^15 and
    |x*m| + |b| + 2^(s-1) <= 2^31 - 1 for all such x, so requantize stays inside int32 (form A or B). An
    offset too large for s = 0 is clipped: the output is then saturated far beyond any 16-bit code.
    """
    m, b, s = (np.zeros(gain.shape, np.int64) for _ in range(3))
    found = np.zeros(gain.shape, bool)
    for shift in range(S_MAX, -1, -1):
        half = (1 << shift) >> 1
        m_, b_ = np.rint(np.ldexp(gain, shift)), np.rint(np.ldexp(offset, shift))
        if shift == 0:
            m_ = np.clip(m_, -min(M_MAX, INT32_MAX // bound), min(M_MAX, INT32_MAX // bound))
            b_ = np.clip(b_, np.abs(m_) * bound - INT32_MAX, INT32_MAX - np.abs(m_) * bound)
        fits = ~found & (np.abs(m_) <= M_MAX) & (np.abs(m_) * bound + np.abs(b_) + half <= INT32_MAX)
        m[fits], b[fits], s[fits] = m_[fits].astype(np.int64), b_[fits].astype(np.int64), shift
        found |= fits
    return m, b, s


def power_of_two(gain: Floats) -> Floats:
    """sign(gain) * 2^-s, s = 0..30, nearest to gain by ratio; 0 stays 0. frexp keeps it exact everywhere."""
    fraction, exponent = np.frexp(np.abs(gain))
    exponent = exponent - (fraction < np.sqrt(0.5))
    return np.sign(gain) * np.ldexp(1.0, np.clip(exponent, -S_MAX, 0))


def shifts(gain: Floats, offset: Floats, bound: int) -> tuple[Ints, Ints, Ints]:
    """(m, b, s) as `fixed_point` gives them for a gain of power_of_two's: m in {-1, 0, 1}, form A.

    s = -log2|gain|, or the largest shift below with |x| + |b| + 2^(s-1) <= 2^31 - 1 for |x| <= bound: a gain
    that small moves the output by less than its rounding does.
    """
    m, wanted = np.sign(gain).astype(np.int64), 1 - np.frexp(np.abs(gain))[1]
    b, s = (np.zeros(gain.shape, np.int64) for _ in range(2))
    found = np.zeros(gain.shape, bool)
    for shift in range(S_MAX, -1, -1):
        room = INT32_MAX - bound - ((1 << shift) >> 1)
        b_ = np.rint(np.ldexp(offset, shift))
        b_ = np.clip(b_, -room, room) if shift == 0 else b_
        fits = ~found & ((shift <= wanted) | (m == 0)) & (np.abs(b_) <= room)
        b[fits], s[fits] = b_[fits].astype(np.int64), shift
        found |= fits
    return m, b, s
