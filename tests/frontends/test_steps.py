"""steps() against brute force over the whole interval, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.passes import steps as module
from edgeternary.passes.steps import steps


def affine(gain: np.ndarray, offset: np.ndarray, lo: int, hi: int, gap: int = 1):
    """codes = clamp(floor(gain * x + offset)), per channel."""

    def f(x: np.ndarray) -> np.ndarray:
        y = np.floor(gain[:, None] * x + offset[:, None])
        if gap == 2:
            return np.where(y >= 0, 1, -1)
        return np.clip(y, lo, hi).astype(np.int64)

    return f


def brute(f, lo: int, hi: int, channels: int) -> np.ndarray:
    return f(np.broadcast_to(np.arange(lo, hi + 1, dtype=np.int64), (channels, hi - lo + 1)))


@given(
    st.lists(st.tuples(st.integers(-40, 40), st.integers(-300, 300)), min_size=1, max_size=6),
    st.integers(-400, 10), st.integers(0, 500),
    st.sampled_from([(-1, 1, 2), (0, 1, 1), (-1, 1, 1), (0, 3, 1), (-8, 7, 1)]),
)  # fmt: skip
def test_equals_brute_force(parameters, lo, width, codes):
    low, high, gap = codes
    gain = np.array([g / 8 for g, _ in parameters])
    offset = np.array([o / 4 for _, o in parameters])
    f = affine(gain, offset, low, high, gap)
    found = steps(f, lo, lo + width, range(low, high + 1, gap))
    x = np.broadcast_to(np.arange(lo, lo + width + 1), (len(gain), width + 1))
    np.testing.assert_array_equal(found(x), brute(f, lo, lo + width, len(gain)))
    assert found.t.dtype == found.base.dtype == found.step.dtype == np.int32
    assert np.all(np.diff(found.t, axis=1) >= 0)
    assert found.t.min() >= lo and found.t.max() <= lo + width + 1


def test_known_thresholds():
    f = affine(np.array([0.5, -0.5, 0.0]), np.array([0.0, 0.0, 2.0]), 0, 3)
    found = steps(f, -10, 10, (0, 1, 2, 3))
    np.testing.assert_array_equal(found.t, [[2, 4, 6], [-5, -3, -1], [11, 11, 11]])
    np.testing.assert_array_equal(found.base, [0, 3, 2])
    np.testing.assert_array_equal(found.step, [1, -1, 0])


def test_an_interval_of_one_integer_is_constant():
    found = steps(affine(np.array([1.0]), np.array([0.0]), 0, 3), 2, 2, (0, 1, 2, 3))
    np.testing.assert_array_equal(found.base, [2])
    np.testing.assert_array_equal(found.step, [0])


def test_wide_intervals_are_bisected():
    f = affine(np.array([1.0, -1.0]), np.array([-12_345_678.0, 9_876_543.0]), -1, 1, 2)
    found = steps(f, -(2**27), 2**27, (-1, 1))
    np.testing.assert_array_equal(found.t[:, 0], [12_345_678, 9_876_544])


def hat(x: np.ndarray) -> np.ndarray:
    return np.clip(5 - np.abs(x), 0, 3)


def dip(x: np.ndarray) -> np.ndarray:
    """Rises from 0 to 3, but for one integer."""
    return np.where(x == 57, 0, np.clip(x // 20, 0, 3))


@pytest.mark.parametrize("f", [hat, dip])
def test_functions_that_turn_back_are_refused(f):
    with pytest.raises(EdgeTernaryError, match=r"act7 is not monotone in channel 0"):
        steps(f, -100, 100, (0, 1, 2, 3), "act7")


def test_the_whole_interval_is_what_finds_a_dip(monkeypatch):
    monkeypatch.setattr(module, "WHOLE_INTERVAL_LIMIT", 0)
    steps(dip, -100, 100, (0, 1, 2, 3))


def test_codes_outside_the_levels_are_refused():
    with pytest.raises(EdgeTernaryError, match="gives the code 4"):
        steps(lambda x: np.clip(x, 0, 4), -100, 100, (0, 1, 2, 3), "act")
