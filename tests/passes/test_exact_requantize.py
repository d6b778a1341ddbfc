"""A requantize that equals steps of any slope, sign and clamp; and no requantize where none equals them."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.passes.exact_requantize import exact_requantize
from edgeternary.passes.steps import bisect


def scaled(x: np.ndarray, found: object, low: int, high: int) -> np.ndarray:
    m, b, s, a = (np.asarray(getattr(found, name), np.int64)[:, None] for name in "mbsa")
    return np.clip(((x + a) * m + b) >> s, low, high)


@pytest.mark.parametrize("seed", range(40))
def test_equal_on_the_interval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lo, hi = -int(rng.integers(0, 3000)), int(rng.integers(20, 3000))
    gain = rng.normal(size=(6, 1)) * rng.choice([0.01, 0.1, 1.0])
    gain[0] = rng.choice([0.0, 0.25, 1e-7])
    offset = rng.normal(size=(6, 1)) * rng.choice([1, 50, 1e5])
    low, high = [(-128, 127), (0, 63), (-15, 16)][seed % 3]

    def f(x: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(x * gain + offset), low, high).astype(np.int64)

    steps = bisect(f, lo, hi, np.arange(low, high + 1))
    found = exact_requantize(steps, lo, hi, low, high)
    assert found is not None
    x = np.arange(lo, hi + 1)[None]
    np.testing.assert_array_equal(scaled(x, found, low, high), f(x))


def test_the_smallest_shift() -> None:
    x = np.arange(-100, 101)[None]
    steps = bisect(lambda x: np.clip((x + 4) >> 3, -12, 12), -100, 100, np.arange(-12, 13))
    found = exact_requantize(steps, -100, 100, -12, 12)
    assert found is not None and (found.m[0], found.s[0]) == (1, 3)
    np.testing.assert_array_equal(scaled(x, found, -12, 12)[0], np.clip((x[0] + 4) >> 3, -12, 12))


def test_no_requantize_for_uneven_steps() -> None:
    squares = np.arange(1, 17) ** 2
    steps = bisect(lambda x: (x[..., None] >= squares).sum(-1), 0, 400, np.arange(17))
    assert exact_requantize(steps, 0, 400, 0, 16) is None
