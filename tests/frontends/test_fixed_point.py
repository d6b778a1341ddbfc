"""fixed_point(): close to the real function, and inside int32."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.passes.fixed_point import fixed_point

finite = st.floats(-1e9, 1e9)


@given(finite, finite, st.integers(1, 1 << 20))
def test_never_leaves_int32(gain, offset, bound):
    m, b, s = (int(v[0]) for v in fixed_point(np.array([gain]), np.array([offset]), bound))
    assert abs(m) < 2**15 and 0 <= s <= 31
    half = (1 << s) >> 1
    ends = [m * x + b + extra for x in (-bound, bound) for extra in (0, half)]
    assert min(ends) >= -(2**31) and max(ends) < 2**31


@given(st.floats(-0.5, 0.5), st.floats(-300, 300))
def test_is_within_a_code_of_the_real_function(gain, offset):
    m, b, s = fixed_point(np.array([gain]), np.array([offset]), 1 << 16)
    x = np.linspace(-(1 << 16), 1 << 16, 201).astype(np.int64)
    wanted = gain * x + offset
    found = (x * m + b + ((1 << s) >> 1)) >> s
    visible = np.abs(wanted) < 256
    assert np.all(np.abs(found - wanted)[visible] <= 0.5 + 1 / 16)


def test_a_power_of_two_needs_no_multiplier_bits():
    m, b, s = (int(v[0]) for v in fixed_point(np.array([0.25]), np.array([3.0]), 1 << 10))
    assert m / 2**s == 0.25 and b / 2**s == 3.0
