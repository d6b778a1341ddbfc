"""Fixed-point arithmetic of log_mel: products, a real Fourier transform, magnitudes, logarithms.

Arrays are int64 and hold what int32 (sums of bands: uint32) holds in C; `log_mel` proves that nothing
overflows. docs/integer-graph.md says the same in formulas.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

Wide = NDArray[np.int64]
ONE = 1 << 15  # of a factor
TURNS = 4  # of the vector whose length is wanted
GAIN = math.prod(math.sqrt(1 + 4.0**-i) for i in range(1, TURNS + 1))  # of a magnitude: 1.1637
SEGMENTS = 32  # of the logarithm's table
LOG_ONE = 256  # of a logarithm to base 2


@cache
def sines(size: int) -> Wide:
    """-sin(2 pi k / size) * 2^15 for k < 3/4 size; the cosine of k is the sine of k + size / 4."""
    k = np.arange(3 * size // 4)
    return np.rint(-np.sin(2 * np.pi * k / size) * ONE).astype(np.int64)


@cache
def logarithms() -> Wide:
    """log2(1 + i / 32) * 2^15 for i <= 32."""
    return np.rint(np.log2(1 + np.arange(SEGMENTS + 1) / SEGMENTS) * ONE).astype(np.int64)


@cache
def reversed_bits(count: int) -> Wide:
    """The numbers below `count`, a power of two, with their bits in reverse order."""
    found = np.zeros(1, np.int64)
    while len(found) < count:
        found = np.concatenate((2 * found, 2 * found + 1))
    return found


def times(a: Wide, factor: Wide) -> Wide:
    """floor(a * factor / 2^15)."""
    return a * factor >> 15


def spectrum(y: Wide, first: int, stop: int) -> tuple[Wide, Wide]:
    """Twice the bins first .. stop - 1 of the transform of y (size, frames): real and imaginary parts.

    The even elements are the real parts and the odd elements the imaginary parts of size / 2 numbers, whose
    transform is by halves (Cooley and Tukey). 0 < first, stop <= size / 2.
    """
    size, frames = y.shape
    half, sine = size // 2, sines(size)[:, None]
    order = reversed_bits(half)
    re, im = y[2 * order], y[2 * order + 1]
    span = 1
    while span < half:
        k = np.arange(span) * (half // span)
        s, c = sine[k], sine[k + size // 4]
        a_re, a_im, b_re, b_im = (
            part.reshape(-1, 2, span, frames)[:, i] for i in (0, 1) for part in (re, im)
        )
        t_re, t_im = -(b_re * c + b_im * s >> 15), b_re * s - b_im * c >> 15
        re, im = (np.stack((a + t, a - t), 1).reshape(half, frames) for a, t in ((a_re, t_re), (a_im, t_im)))
        span *= 2
    k = np.arange(first, stop)
    s, c = sine[k], sine[k + size // 4]
    even_re, even_im = re[k] + re[half - k], im[k] - im[half - k]
    odd_re, odd_im = im[k] + im[half - k], re[half - k] - re[k]
    return even_re - (odd_re * c + odd_im * s >> 15), even_im + (odd_re * s - odd_im * c >> 15)


def magnitude(re: Wide, im: Wide) -> Wide:
    """GAIN * |re + i im|, to 0.2 %: the vector is turned towards the real axis, by shifts and additions."""
    re, im = np.abs(re), np.abs(im)
    a, b = np.maximum(re, im), np.minimum(re, im)
    for i in range(1, TURNS + 1):
        up = b >= 0
        a, b = np.where(up, a + (b >> i), a - (b >> i)), np.where(up, b - (a >> i), b + (a >> i))
    return a


def log2(v: Wide) -> Wide:
    """256 * log2(v), rounded, for 1 <= v < 2^32, from a table of 32 straight pieces; 0 for v = 0."""
    table, v = logarithms(), np.maximum(v, 1)
    whole = np.zeros_like(v)
    for bits in (16, 8, 4, 2, 1):
        whole += np.where(v >> whole >> bits > 0, bits, 0)
    rest = (v << 31 - whole) - (1 << 31)  # of 2^31
    i, f = rest >> 26, rest >> 16 & 1023
    part = table[i] + ((table[i + 1] - table[i]) * f >> 10)
    return (whole * ONE + part + 64) >> 7
