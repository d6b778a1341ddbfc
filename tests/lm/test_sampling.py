"""Drawing symbols by integers: the table, the generator, the frequencies."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.run._sampling import FRACTION, WEIGHT, Xorshift32, chooser, powers


def test_the_table_of_powers_is_exact() -> None:
    table = powers()
    assert table[0] == 1 << WEIGHT and len(table) == 1 << FRACTION
    for k, value in enumerate(table):
        assert value**256 <= 1 << (WEIGHT * 256 - k) < (value + 1) ** 256


def test_the_generator_is_marsaglias() -> None:
    """y ^= y << 13, y ^= y >> 17, y ^= y << 5 from 1: the first number is 270369."""
    assert Xorshift32(0).next() == 270369
    assert len({Xorshift32(seed).next() for seed in range(1000)}) == 1000


def test_temperature_0_is_argmax_and_ties_go_to_the_lowest() -> None:
    assert chooser(0.1, 0.0, 5)(np.array([3, 9, 9, -2])) == 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_those_of_softmax(temperature: float) -> None:
    logits, scale, draws = np.array([200, 100, -1000, 180, 0], np.int32), 0.01, 20_000
    choose = chooser(scale, temperature, 7)
    found = np.bincount([choose(logits) for _ in range(draws)], minlength=5) / draws
    right = np.exp(logits * scale / temperature)
    right /= right.sum()
    np.testing.assert_allclose(found, right, atol=4 * math.sqrt(0.25 / draws))


def test_logits_at_both_ends_of_int32() -> None:
    choose = chooser(1.0, 1e-3, 0)
    assert choose(np.array([-(2**31), 2**31 - 1, -(2**31)], np.int32)) == 1
    assert chooser(1.0, 1e30, 0)(np.array([-(2**31), 2**31 - 1], np.int32)) in (0, 1)


@pytest.mark.parametrize("temperature", [-1.0, math.inf, math.nan])
def test_temperatures_that_are_none(temperature: float) -> None:
    with pytest.raises(EdgeTernaryError, match="temperature") as caught:
        chooser(1.0, temperature, 0)
    assert caught.value.code == USAGE
