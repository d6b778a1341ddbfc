"""Weights as canonical signed digits: sums of few powers of two, each with a sign.

No two neighbouring digits are nonzero, and no other sum of signed powers of two is shorter (Reitwiesner,
1960). With digits of 1 and 3, which take three times the word at hand, one in four is nonzero, not one in
three.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


PLAIN, TRIPLE = 2, 3  # bits of a window of digits: those of 1 alone, and of 1 and 3


def planes(weights: NDArray[np.integer], bits: int = PLAIN) -> Ints:
    """(k, ...) of 0 and odd numbers: weights = sum over k of 2^k * planes[k]; at least one plane.

    Odd numbers are those below 2^(bits-1), and their negatives.
    """
    rest = np.asarray(weights, np.int64)
    found: list[Ints] = []
    half = 1 << bits - 1
    while not found or rest.any():
        digit = np.where(rest % 2 == 1, (rest + half) % (2 * half) - half, 0)
        found.append(digit)
        rest = (rest - digit) // 2
    return np.stack(found)


def together(planes: Ints) -> Ints:
    """(...) the sum over k of 2^k * planes[k]."""
    places = np.int64(1) << np.arange(len(planes), dtype=np.int64)
    return np.asarray(np.tensordot(places, planes, axes=1), np.int64)


def expanded(weights: NDArray[np.integer], bits: int = PLAIN) -> tuple[Ints, Ints]:
    """(entry, digit) for each digit of weights (n,), entry by entry, the lowest digit first."""
    found = planes(weights, bits)
    entry, plane = np.nonzero(found.T)
    return entry, found[plane, entry] << plane


def split(digit: int) -> tuple[int, int]:
    """(odd, k): the digit is odd * 2^k or its negative."""
    lowest = digit & -digit
    return abs(digit) // lowest, lowest.bit_length() - 1
