"""A rounded function as a requantize: equal at every integer of the interval, or off where it says so."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeternary.ops import Requantize, build
from edgeternary.passes.rounded import Rounded, rounded

Ints = NDArray[np.int64]


def half_away(x: NDArray[np.float64]) -> Ints:
    whole = np.trunc(x)
    return (whole + np.sign(x) * (np.abs(x - whole) >= 0.5)).astype(np.int64)


def requantize(made: Rounded, clamp: tuple[int, int], type: str) -> Requantize:
    return Requantize(
        name="y", inputs=("x",), m=made.m, b=made.b, s=made.s, zero=0, lo=clamp[0], hi=clamp[1],
        rounding="half_up", type=type,
    )  # fmt: skip


def compare(gain: NDArray[np.float64], x: tuple[int, int], clamp: tuple[int, int], type: str) -> Rounded:
    """On every integer of the interval."""

    def f(at: Ints, channels: slice) -> Ints:
        return half_away(at * gain[channels, None])

    made = rounded(f, gain, x, clamp)
    assert made is not None
    at = np.arange(x[0], x[1] + 1, dtype=np.int64)
    for c in range(len(gain)):
        one = made.at(np.array([c]))
        got = requantize(one, clamp, type).ref(at[:, None].astype(np.int32))[:, 0].astype(np.int64)
        for places, sign in ((one.right[0], 1), (one.wrong[0], -1)):
            got += sign * one.sign[0] * np.searchsorted(places, at, side="right")
        np.testing.assert_array_equal(got, np.clip(f(at[None], slice(c, c + 1))[0], *clamp))
    return made


@pytest.mark.parametrize("seed", range(6))
def test_half_away_of_a_float_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gain = np.exp(rng.uniform(-9, 1, 5)) * rng.choice([-1, 1], 5)
    gain[:2] = 2.0 ** -rng.integers(0, 9, 2)  # ties on both sides of 0
    lo, hi = (int(n) for n in np.sort(rng.integers(-40_000, 40_000, 2)))
    made = compare(gain, (lo, hi + 1), (-128, int(rng.integers(-100, 128))), "int8")
    assert not made.right.size


def test_small_intervals_take_a_short_multiplier() -> None:
    made = compare(np.array([1 / 25, 1 / 3, 1 / 64]), (-3200, 3175), (-128, 127), "int8")
    assert np.abs(made.m).max() < 1 << 15
    op = requantize(made, (-128, 127), "int8")
    assert op.form(build.value("x", (3,), "int32", -3200, 3175)) == "B"


def test_places_that_no_multiplier_gets_right_are_listed() -> None:
    """Outputs of 16 bits over a wide interval: boundaries are closer than 2^-31 of a value."""
    made = compare(
        np.array([0.019373510560858342, -0.0193735]), (-1_600_000, 1_700_000), (-32768, 32767), "int16"
    )
    assert made.right.shape == made.wrong.shape and made.right.size
    assert (made.right != made.wrong).any(axis=1).any()


def test_a_constant() -> None:
    made = compare(np.array([0.0, 1e-9]), (-100, 100), (-8, 7), "int4")
    assert not made.m.any()
