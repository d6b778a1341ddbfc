"""Frames of a sound that goes on: the same however it is cut, and those of the data set."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.train.data.frontend import features
from edgeternary.train.data.sound_frames import SoundFrames
from tests.need import need

pytestmark = pytest.mark.torch


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 900, samples).astype(np.int16)


def test_pieces_of_any_length_give_the_same_frames() -> None:
    need("pymicro-features")
    sound, frames = noise(20_000), SoundFrames()
    whole = SoundFrames().push(sound)
    pieces = np.concatenate(
        [frames.push(part) for part in np.split(sound, [1, 1, 160, 777, 5000, 5320, 19_999])]
    )
    np.testing.assert_array_equal(pieces, whole)
    assert whole.shape == ((20_000 // 160 - 2 + 1) // 2, 10) and whole.dtype == np.uint8


def test_the_last_second_is_a_sample_of_the_data_set() -> None:
    need("pymicro-features")
    sound = noise(32_000)
    np.testing.assert_array_equal(SoundFrames().push(sound)[-49:], features(sound))


def test_what_is_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    need("pymicro-features")
    with pytest.raises(EdgeTernaryError, match="float64"):
        SoundFrames().push(np.zeros(160))
    monkeypatch.setitem(__import__("sys").modules, "pymicro_features", None)
    with pytest.raises(EdgeTernaryError, match="pip install") as error:
        SoundFrames()
    assert error.value.code == TOOL_MISSING
