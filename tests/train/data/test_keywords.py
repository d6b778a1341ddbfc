"""Synthetic keywords: speakers of their own in each part, the same samples every time, whole files only."""

from __future__ import annotations

import shutil
import sys
import time

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.train import data
from edgeternary.train.data import frontend, keyword_sounds, keywords, voices

pytestmark = pytest.mark.torch

EACH = {"train": 2, "validation": 1, "test": 1}


@pytest.fixture(scope="module")
def tools():
    for check in (voices.espeak, frontend._frontend):
        try:
            check()
        except EdgeTernaryError as error:
            pytest.skip(str(error))


def test_no_speaker_is_in_two_parts():
    """Nor are variants of one speaker, such as iven and iven2; m1..m8 and f1..f5 are different speakers."""
    names = [name for part in voices.SPEAKERS.values() for name in part]
    assert len(set(names)) == len(names) and set(voices.SPEAKERS) == set(keyword_sounds.PARTS)
    stems = [{name.lower().rstrip("0123456789") for name in part} for part in voices.SPEAKERS.values()]
    assert (stems[0] & stems[1]) | (stems[0] & stems[2]) | (stems[1] & stems[2]) <= {"m", "f"}


def test_the_chosen_speakers_speak_alike_at_any_time(tools):
    """espeak-ng seeds the noise of voices with breath (f2) with the clock: none of them is in the list."""
    names = [name for part in voices.SPEAKERS.values() for name in part]
    spoken = []
    for pause in (1.1, 0):
        spoken.append([voices.speak("stop", name, "en-us", 150, 50) for name in (*names, "f2")])
        time.sleep(pause)
    different = [name for name, a, b in zip((*names, "f2"), *spoken) if not np.array_equal(a, b)]
    assert different == ["f2"]
    assert len({sound.tobytes() for sound in spoken[0][:-1]}) == len(names)


def test_a_file_is_made_once_and_the_same_again(tools, tmp_path, monkeypatch):
    seen = []
    file = tmp_path / "new" / "keywords.npz"
    keywords.write_keywords(file, EACH, lambda part, done, total: seen.append((part, done, total)))
    assert seen[-1] == ("test", 12, 12) and len(seen) == 48
    monkeypatch.setenv("EDGETERNARY_KEYWORDS", str(file))
    monkeypatch.setattr(keywords, "write_keywords", lambda *_: pytest.fail("made again"))
    found = data.DATASETS["synthetic-keywords"]()
    assert "synthetic" in found.name and "espeak-ng" in found.name
    assert found.labels == (
        "yes",
        "no",
        "up",
        "down",
        "left",
        "right",
        "on",
        "off",
        "stop",
        "go",
        "silence",
        "unknown",
    )
    assert found.train[0].shape == (24, 49, 10, 1) and found.train[0].dtype == np.uint8
    assert np.bincount(found.train[1]).tolist() == [2] * 12
    again, _ = keyword_sounds.make("train", 1)
    np.testing.assert_array_equal(found.train[0][:12], again)
    other, _ = keyword_sounds.make("train", 1, seed=1)
    assert not np.array_equal(other, again) and not np.array_equal(found.test[0], again)
    assert {row.name: row.path for row in data.found()}["synthetic-keywords"] == file


def test_the_word_is_louder_than_silence(tools):
    """The label is audible: bands of the clearest word frames lie above those of noise alone."""
    x, y = keyword_sounds.make("test", 2)
    loudest = np.sort(x[..., 0].mean(2), 1)[:, -8:].mean(1)
    silence = y == keyword_sounds.LABELS.index("silence")
    assert loudest[silence].max() < np.median(loudest[~silence])


def test_an_interrupted_run_leaves_no_file(tools, tmp_path):
    def stop(part, done, total):
        if part == "validation":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keywords.write_keywords(tmp_path / "keywords.npz", dict.fromkeys(EACH, 1), stop)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeTernaryError, match="EDGETERNARY_KEYWORDS"):
        keywords.write_keywords(tmp_path / "file" / "x.npz", dict.fromkeys(EACH, 1), lambda *_: None)


@pytest.mark.parametrize(("hertz", "band"), [(300, 0), (1000, 3), (3000, 6)])
def test_one_frame_every_20_ms_and_one_band_of_four(tools, hertz, band):
    """A tone from 0.5 s on: frame 24 (0.48 to 0.51 s) hears the click, the next ones the tone's band."""
    tone = np.sin(np.arange(frontend.SAMPLES) * 2 * np.pi * hertz / voices.RATE) * 8000
    tone[: frontend.SAMPLES // 2] = 0
    codes = frontend.features(tone.astype(np.int16))
    assert codes.shape == (49, 10) and codes.dtype == np.uint8
    assert not codes[:24].any() and codes[24].min() > 150
    assert (codes[25:].argmax(1) == band).all()


def test_what_goes_before_settles_the_noise_estimate(tools):
    noise = np.random.default_rng(0).normal(0, 2000, 2 * frontend.SAMPLES).astype(np.int16)
    cold, warm = frontend.features(noise[frontend.SAMPLES :]), frontend.features(noise)
    assert cold[:5].mean() > 2 * warm[:5].mean() and abs(cold[-5:].mean() / warm[-5:].mean() - 1) < 0.5
    sound = noise[frontend.SAMPLES :]
    for wrong in (sound.astype(float), sound[:-1], sound[None], noise[:16001]):
        with pytest.raises(EdgeTernaryError, match=r"must be int16 \(n,\) at 16 kHz"):
            frontend.features(wrong)


def test_resampling_keeps_a_tone():
    time_22, time_16 = np.arange(4410) / 22050, np.arange(3200) / 16000
    again = voices.resample(np.cos(2 * np.pi * 1000 * time_22))
    np.testing.assert_allclose(again, np.cos(2 * np.pi * 1000 * time_16), atol=1e-9)
    assert (
        np.abs(voices.resample(np.cos(2 * np.pi * 9000 * time_22))).max() < 1e-9
    )  # above 8 kHz nothing stays


def test_missing_tools_and_voices_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    voices.espeak.cache_clear()
    with pytest.raises(EdgeTernaryError, match=r"espeak-ng is missing.*apt install espeak-ng") as caught:
        data.synthetic_keywords(tmp_path / "none.npz", lambda *_: None)
    assert caught.value.code == TOOL_MISSING
    old = tmp_path / "espeak-ng"
    old.write_text("#!/bin/sh\necho ' 5  variant  --/M  Adam  !v/adam'\n")
    old.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(old))
    with pytest.raises(EdgeTernaryError, match="no voice variant m1"):
        voices.espeak()
    voices.espeak.cache_clear()
    monkeypatch.setitem(sys.modules, "pymicro_features", None)
    with pytest.raises(EdgeTernaryError, match="pymicro_features is missing"):
        frontend.features(np.zeros(16000, np.int16))
