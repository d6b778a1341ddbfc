"""The fixed-point arithmetic of TFLite's reference kernels.

A real factor r becomes (m, shift) with m in [2^30, 2^31) and r close to m / 2^31 * 2^shift. Multiplying by it
rounds twice: a doubling high product, then a division by 2^-shift rounded half away from zero. That is
requantize with the rounding tflite_double and s = 31 - shift.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edgeternary.ops.requantize import double_rounded

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def quantized_multiplier(factor: float) -> tuple[int, int]:
    """(m, shift) of a real factor; (0, 0) for 0 and for factors below 2^-31."""
    if factor == 0:
        return 0, 0
    fraction, shift = math.frexp(factor)
    scaled = fraction * 2.0**31
    m = math.floor(abs(scaled) + 0.5) * (1 if scaled > 0 else -1)  # 31 bits and a half are exact in float64
    if abs(m) == 1 << 31:
        m, shift = m // 2, shift + 1
    return (0, 0) if shift < -31 else (m, shift)


def multiply(x: Ints, m: int, shift: int) -> Ints:
    """x times (m, shift), rounded twice."""
    return double_rounded(x, np.int64(m), np.int64(31 - shift))


def half_away(x: Floats) -> Floats:
    """Rounded to integers, ties away from zero, as `round` of C."""
    whole = np.trunc(x)
    return whole + np.sign(x) * (np.abs(x - whole) >= 0.5)


def half_away_quotient(x: Ints, n: Ints) -> Ints:
    """x / n rounded as TFLite's average pools do: (|x| + n // 2) // n with the sign of x."""
    return np.sign(x) * ((np.abs(x) + n // 2) // n)
