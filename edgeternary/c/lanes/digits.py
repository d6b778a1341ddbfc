"""Weights as canonical signed digits: sums of few powers of two, each with a sign.

No two neighbouring digits are nonzero, and no other sum of signed powers of two is shorter (Reitwiesner,
1960).
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def planes(weights: NDArray[np.integer]) -> Ints:
    """(k, ...) of -1, 0 and 1: weights = sum over k of 2^k * planes[k]; at least one plane."""
    rest = np.asarray(weights, np.int64)
    found: list[Ints] = []
    while not found or rest.any():
        digit = np.where(rest % 2 == 1, 2 - rest % 4, 0)
        found.append(digit)
        rest = (rest - digit) // 2
    return np.stack(found)


def together(planes: Ints) -> Ints:
    """(...) the sum over k of 2^k * planes[k]."""
    places = np.int64(1) << np.arange(len(planes), dtype=np.int64)
    return np.asarray(np.tensordot(places, planes, axes=1), np.int64)


def expanded(weights: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """(entry, digit) for each digit of weights (n,), entry by entry, the lowest digit first."""
    found = planes(weights)
    entry, plane = np.nonzero(found.T)
    return entry, found[plane, entry] << plane
