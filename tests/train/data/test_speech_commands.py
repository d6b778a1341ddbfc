"""The layout of Speech Commands: its lists, the classes of other words and of silence, wrong folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import Sound, codes
from edgeternary.train.data import speech_commands
from edgeternary.train.data.core import Data
from tests.train.data.test_sounds import FEATURES, write

WORDS = ("go", "no")
SPEAKERS = [f"s{i:02}" for i in range(20)]  # 15 and 16 validate, 17, 18 and 19 test


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root, lists = tmp_path / "speech", dict[str, list[str]](testing=[], validation=[])
    for word in ("bed", "cat", "dog", *WORDS):
        for i, speaker in enumerate(SPEAKERS):
            path = write(root / word / f"{speaker}_nohash_0.wav", 800 if i else 700)
            if i >= 15:
                lists["testing" if i > 16 else "validation"].append(f"{word}/{path.name}")
    for name, lines in lists.items():
        (root / f"{name}_list.txt").write_text("\n".join(lines) + "\n")
    for i in range(2):
        write(root / "_background_noise_" / f"{i}.wav", 9000)
    (root / "README.md").write_text("?")
    return root


def load(root: Path | None, **more: object) -> Data:
    return speech_commands(root, words=WORDS, features=FEATURES, **more)  # type: ignore[arg-type]


def test_the_lists_divide_and_other_classes_are_as_large_as_a_word(archive: Path) -> None:
    data = load(archive)
    assert data.labels == ("go", "no", "_silence_", "_unknown_") and data.sound is not None
    counts = [np.bincount(part[1]).tolist() for part in (data.train, data.validation, data.test)]
    assert counts == [[15] * 4, [2] * 4, [3] * 4]
    seen = [{x.tobytes() for x in part[0]} for part in (data.train, data.validation, data.test)]
    assert [len(part) for part in seen] == [60, 8, 12] and not seen[0] & seen[2] and not seen[1] & seen[2]
    again, other = load(archive), load(archive, seed=1)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(data, part)[0], getattr(again, part)[0])
    assert np.any(data.train[0] != other.train[0])


def test_the_samples_of_a_part_are_those_of_its_list(archive: Path) -> None:
    import wave

    data = load(archive)
    with wave.open(str(archive / "no" / "s18_nohash_0.wav")) as file:
        clip = np.frombuffer(file.readframes(800), "<i2")
    (code,) = codes(Sound(**FEATURES), clip[None])  # type: ignore[arg-type]
    at = [i for i, x in enumerate(data.test[0]) if np.array_equal(x, code)]
    assert [data.test[1][i] for i in at] == [1]


def test_folders_that_lack_something(archive: Path) -> None:
    def refused(text: str, **more: object) -> EdgeTernaryError:
        with pytest.raises(EdgeTernaryError, match=text) as error:
            load(archive, **more)
        return error.value

    assert refused("folds = 5", folds=5).code == USAGE
    moved = (archive / "dog" / "s19_nohash_0.wav").rename(archive / "kept.wav")
    assert "dog/s19_nohash_0.wav" in refused("1 clips of the lists of .* are missing").why
    moved.rename(archive / "dog" / "s19_nohash_0.wav")
    (archive / "_background_noise_").rename(archive / "_noise_")
    refused("has no _background_noise_")
    (archive / "_noise_").rename(archive / "_background_noise_")
    (archive / "no").rename(archive / "nope")
    refused("has no folder 'no'")
    (archive / "validation_list.txt").unlink()
    assert "folds = 5" in refused("has no validation_list.txt").remedy
    with pytest.raises(EdgeTernaryError, match="no folder is named") as error:
        load(None)
    assert "EDGETERNARY_SPEECH_COMMANDS" in error.value.remedy


def test_the_archive_of_the_test_clips_is_divided_by_speaker(archive: Path) -> None:
    for name in ("testing_list.txt", "validation_list.txt"):
        (archive / name).unlink()
    (archive / "bed").rename(archive / "_unknown_")
    (archive / "_background_noise_").rename(archive / "_silence_")
    for i in range(2, 15):
        write(archive / "_silence_" / f"{i}.wav")
    data = load(archive, folds=4, fold=3)
    assert data.labels == ("go", "no", "_silence_", "_unknown_")
    assert "fold 3 of 4 by speaker, 20 speakers" in data.name
    assert [np.bincount(part[1]).tolist() for part in (data.train, data.test)] == [
        [13, 13, 11, 13],
        [5, 5, 3, 5],
    ]
