"""Changed copies of training clips: what is drawn, and where the noise comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.data.sound_copies import Copies
from tests.train.data.test_sounds import FEATURES, _cache, folder, load  # noqa: F401 - fixtures

RATE, SAMPLES = 8000, 800
SILENT = np.zeros((0, SAMPLES), np.int16)


def clips(count: int = 3) -> np.ndarray:
    return np.random.default_rng(count).integers(-9000, 9000, (count, SAMPLES)).astype(np.int16)


def test_without_changes_a_copy_is_the_clip() -> None:
    x = clips()
    made = Copies(count=2, shift=0, speed=0, noise=0).of(x, SILENT, RATE)
    np.testing.assert_array_equal(made, np.concatenate([x, x]))
    assert Copies().of(x, SILENT, RATE).shape == (0, SAMPLES)


def test_a_copy_moves_by_less_than_its_shift() -> None:
    x = clips()
    made = Copies(count=9, shift=0.01, speed=0, noise=0).of(x, SILENT, RATE)
    moves = set()
    for k, copy in enumerate(made):
        (move,) = (n for n in range(-80, 81) if np.array_equal(np.roll(x[k % 3], n)[80:-80], copy[80:-80]))
        assert not copy[:move].any() if move >= 0 else not copy[move:].any()
        moves.add(move)
    assert len(moves) > 9


@pytest.mark.parametrize("recorded", [False, True])
def test_noise_stays_below_its_share_of_the_peak(recorded: bool) -> None:
    x = clips()
    noises = np.full((1, SAMPLES), 32767, np.int16) if recorded else SILENT
    made = Copies(count=5, shift=0, speed=0, noise=0.25).of(x, noises, RATE)
    added = made.astype(int) - np.tile(x, (5, 1))
    peak = np.abs(np.tile(x, (5, 1)).astype(int)).max(1)
    assert (np.abs(added).max(1) <= 0.25 * peak + 1).all() and np.abs(added).max() > 100
    assert np.ptp(added, axis=1).max() == 0 if recorded else np.ptp(added, axis=1).min() > 0


def test_the_seed_decides() -> None:
    x = clips()
    one, two = (Copies(count=2, seed=seed).of(x, x, RATE) for seed in (1, 2))
    np.testing.assert_array_equal(one, Copies(count=2, seed=1).of(x, x, RATE))
    assert (one != two).any()


def test_only_the_training_has_copies(folder: Path) -> None:  # noqa: F811
    plain, more = load(folder), load(folder, copies={"count": 3, "noise": 0.5})
    for name in ("validation", "test"):
        np.testing.assert_array_equal(getattr(plain, name)[0], getattr(more, name)[0])
    x, y = more.train  # type: ignore[attr-defined]
    n = len(plain.train[0])  # type: ignore[attr-defined]
    assert len(x) == len(y) == 4 * n
    np.testing.assert_array_equal(x[:n], plain.train[0])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(y.reshape(4, n), np.tile(plain.train[1], (4, 1)))  # type: ignore[attr-defined]
    assert (x[n:] != np.tile(x[:n], (3, 1, 1, 1))).any((1, 2, 3)).mean() > 0.9


def test_an_unknown_setting_is_named(folder: Path) -> None:  # noqa: F811
    with pytest.raises(EdgeTernaryError, match="known keys are count, shift, speed, noise, seed") as caught:
        load(folder, copies={"counts": 3})
    assert caught.value.code == USAGE
