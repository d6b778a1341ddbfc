"""Thresholds of a number, as limits of the integer that it is carried as."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.passes.affine import Affine


@pytest.mark.parametrize("gain", [1, 2, 3, -1, -2, -5])
def test_limits_of_raw_say_the_same_as_thresholds_of_the_number(gain: int) -> None:
    rng = np.random.default_rng(abs(gain))
    x = Affine(gain, rng.integers(-20, 21, 8), int(rng.integers(-9, 1)), 30)
    t = np.sort(rng.integers(-150, 151, (8, 7)), axis=1)
    raw = np.arange(x.lo, x.hi + 1)
    number = gain * raw + x.offset[:, None]
    limits = x.limits(t)
    assert limits.min() >= x.lo and limits.max() <= x.hi + 1
    reached = raw >= limits[:, :, None] if gain > 0 else raw < limits[:, :, None]
    np.testing.assert_array_equal(reached, number[:, None, :] >= t[:, :, None])
