"""Folders of WAV files: folds by speaker, what the cache notices, and files that cannot be used."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import Sound, codes
from edgeternary.train.data import sounds
from edgeternary.train.data.folds import Folds
from edgeternary.train.data.watch import told
from edgeternary.train.data.wav import resampled, widened

FEATURES = {"rate": 8000, "samples": 800, "window": 256, "hop": 128, "bands": 4, "high": 3900.0}
SPEAKERS = [f"s{i:02}" for i in range(10)]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write(path: Path, samples: int = 800, rate: int = 8000, channels: int = 1, width: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(f"{path.parent.name}/{path.name}".encode()))
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(rng.bytes(samples * channels * width))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two words by ten speakers, twice each, and noise that nobody speaks."""
    root = tmp_path / "words"
    for word in ("yes", "no"):
        for speaker in SPEAKERS:
            for take in range(2):
                write(root / word / f"{speaker}_nohash_{take}.wav")
    for i in range(9):
        write(root / "_silence_" / f"{i}.wav")
    (root / "yes" / "notes.txt").write_text("not a sound")
    return root


def load(folder: Path, **more: object) -> object:
    return sounds(folder, features=FEATURES, **{"speaker": "_nohash_", **more})  # type: ignore[arg-type]


def seen(parts: object) -> list[set[bytes]]:
    """The samples of each part, as bytes."""
    data = parts
    return [{x.tobytes() for x in part[0]} for part in (data.train, data.validation, data.test)]  # type: ignore[attr-defined]


def test_samples_are_the_codes_of_the_files(folder: Path) -> None:
    data = load(folder)
    assert data.labels == ("_silence_", "no", "yes")  # type: ignore[attr-defined]
    assert data.sound == Sound(**FEATURES)  # type: ignore[arg-type, attr-defined]
    with wave.open(str(folder / "yes" / "s03_nohash_1.wav")) as file:
        clip = np.frombuffer(file.readframes(800), "<i2")
    (code,) = codes(Sound(**FEATURES), clip[None])  # type: ignore[arg-type]
    assert any(code.tobytes() in part for part in seen(data))
    assert "fold 0 of 5 by speaker, 10 speakers, _silence_ without speakers" in data.name  # type: ignore[attr-defined]


def test_a_series_has_the_bands_as_channels(folder: Path) -> None:
    plain, series = load(folder), load(folder, series=True)
    for part in ("train", "validation", "test"):
        (x, y), (turned, same) = getattr(plain, part), getattr(series, part)
        np.testing.assert_array_equal(turned, x[:, None, :, :, 0])
        np.testing.assert_array_equal(same, y)


def test_no_speaker_is_in_two_parts_and_each_tests_once(folder: Path) -> None:
    tested: list[bytes] = []
    for fold in range(5):
        data = load(folder, fold=fold)
        train, held, test = seen(data)
        assert not train & held and not train & test and not held & test
        assert len(train) + len(held) + len(test) == 49
        tested += test
        assert seen(load(folder, fold=fold)) == [train, held, test]
    assert len(tested) == len(set(tested)) == 49


def test_folds_depend_on_names_and_seed_alone() -> None:
    groups = [f"g{i}" for i in range(40)] * 2
    first = Folds(4, 1, 0.2, 3).parts(groups, [""] * 80)
    again = Folds(4, 1, 0.2, 3).parts(groups[::-1], [""] * 80)
    other = Folds(4, 1, 0.2, 4).parts(groups, [""] * 80)
    for a, b in zip(first, again):
        assert {groups[i] for i in a} == {groups[::-1][i] for i in b}
    assert any({groups[i] for i in a} != {groups[i] for i in b} for a, b in zip(first, other))
    assert [len(part) for part in first] == [48, 12, 20]
    assert [groups[i] for i in first[2]][:3] == ["g2", "g8", "g10"]  # on every machine


def test_folders_may_say_what_trains(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "parts"
    for word in ("yes", "no"):
        for i, speaker in enumerate(SPEAKERS):
            write(root / ("train" if i < 7 else "test") / word / f"{speaker}_nohash_0.wav")
    data = load(root)
    assert [len(part) for part in seen(data)] == [12, 2, 6]
    write(root / "test" / "no" / "s01_nohash_0.wav")
    with pytest.raises(EdgeTernaryError, match="speaker 's01' trains and tests"):
        load(root)


def test_the_cache_notices_changed_files(folder: Path) -> None:
    reads: list[int] = []
    with told(lambda what, done, total: reads.append(done)):
        first = load(folder)
        load(folder, fold=2)
        assert reads == [49]
        path = write(folder / "no" / "s00_nohash_0.wav", 801)
        write(path)
        os.utime(path, ns=(5, 5))
        load(folder)
        load(folder, seed=1)
        assert reads == [49, 49]
        sounds(folder, speaker="_nohash_", features={**FEATURES, "bands": 3})
    assert reads == [49, 49, 49] and first.train[0].shape[1:] == (5, 4, 1)  # type: ignore[attr-defined]


def test_an_interrupted_reading_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with told(stop), pytest.raises(KeyboardInterrupt):
        load(folder)
    assert not list((tmp_path / "cache" / "edgeternary" / "datasets").iterdir())
    load(folder)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "rate": (lambda path: write(path, rate=16000), "its rate is 16,000 Hz, not 8,000"),
    "stereo": (lambda path: write(path, channels=2), "it has 2 channels, one is needed"),
    "width": (lambda path: write(path, width=1), "its samples have 8 bits, 16 are needed"),
    "shorter": (lambda path: write(path, 700), "it has 700 samples, a clip has 800"),
    "longer": (lambda path: write(path, 900), "it has 900 samples, a clip has 800"),
    "text": (lambda path: path.write_text("no sound"), "it cannot be read as WAV"),
    "nothing": (lambda path: path.write_bytes(b""), "it cannot be read as WAV"),
    "cut": (lambda path: path.write_bytes(write(path).read_bytes()[:-300]), "promises 1,600 bytes"),
    "no samples": (lambda path: write(path, 0), "its header promises 0 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_file_that_cannot_be_used_is_named_or_skipped_and_counted(case: str, folder: Path) -> None:
    spoil, text = BROKEN[case]
    path = folder / "yes" / "s04_nohash_0.wav"
    spoil(path)
    with pytest.raises(EdgeTernaryError) as error:
        load(folder)
    assert "1 of 49 files cannot be used" in error.value.what
    assert str(path) in error.value.why and text in error.value.why
    assert "skip = true" in error.value.remedy
    data = load(folder, skip=True)
    assert sum(map(len, seen(data))) == 48 and "1 of 49 files skipped: 1 " in data.name  # type: ignore[attr-defined]


def test_conversion_and_fitting_happen_where_they_are_asked_for(folder: Path) -> None:
    write(folder / "yes" / "s04_nohash_0.wav", 1600, rate=16000)
    write(folder / "yes" / "s05_nohash_0.wav", channels=2, width=3)
    write(folder / "no" / "s05_nohash_0.wav", 500)
    with pytest.raises(EdgeTernaryError, match="3 of 49 files cannot be used: 1 ") as error:
        load(folder)
    assert "fit = true" in error.value.remedy and "convert = true" in error.value.remedy
    data = load(folder, fit=True, convert=True)
    assert sum(map(len, seen(data))) == 49


def test_converted_samples() -> None:
    t = np.arange(1600)
    slow = resampled(np.sin(2 * np.pi * t / 40), 16000, 8000)
    np.testing.assert_allclose(slow, np.sin(2 * np.pi * t[:800] / 20), atol=1e-9)
    assert widened(b"\x00\x00\x80\xff\xff\x7f", 3).tolist() == [-32768, 32767 + 255 / 256]
    assert widened(b"\x00\x80\xff", 1).tolist() == [-32768, 0, 32512]


def test_layouts_that_are_wrong(folder: Path, tmp_path: Path) -> None:
    def refused(text: str, **more: object) -> EdgeTernaryError:
        with pytest.raises(EdgeTernaryError, match=text) as error:
            load(more.pop("at", folder), **more)  # type: ignore[arg-type]
        return error.value

    (folder / "go").mkdir()
    assert "classes = [...]" in refused("class 'go' of .* is empty").remedy
    load(folder, classes=["yes", "no"])
    assert "EDGETERNARY_SOUNDS" in refused("no folder is named", at=None).remedy
    refused("is no folder", at=tmp_path / "nowhere")
    refused("has no folder for a class", at=folder / "yes")
    refused("has no folder 'maybe'", classes=["yes", "maybe"])
    (folder / "go").rmdir()
    write(folder / "go" / "s01_nohash_0.wav")
    assert "it has 1 speaker" in refused("class 'go' has no").why
    assert refused("it is no regular expression", speaker="(").code == USAGE
    refused("is in no file name", speaker="_by_")
    write(folder / "yes" / "anonymous.wav")
    refused("anonymous.wav of class 'yes' has no speaker")
    assert refused("fold = 5 of folds = 5", fold=5, classes=["no"]).code == USAGE
    assert refused("validation = 1.5", validation=1.5, classes=["no"]).code == USAGE
    with pytest.raises(EdgeTernaryError, match="features = ") as error:
        sounds(folder, features={"bandz": 3})
    assert error.value.code == USAGE and "bands" in error.value.remedy


def test_a_recipe_names_the_folder(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from edgeternary.train import toml

    path = tmp_path / "r.toml"
    path.write_text(f"""
name = "words"
[data]
name = "sounds"
folder = "{folder}"
speaker = "_nohash_"
fold = 3
features = {{ rate = 8000, samples = 800, window = 256, hop = 128, bands = 4, high = 3900.0 }}
[model]
build = "mlp"
widths = [8]
""")
    recipe, _ = toml.read(path)
    assert recipe.data().name == load(folder, fold=3).name  # type: ignore[attr-defined]
    assert toml.to_table(recipe)["data"]["fold"] == 3
    assert toml.to_table(toml.from_table(toml.to_table(recipe))) == toml.to_table(recipe)
    path.write_text(path.read_text().replace("fold = 3", "flod = 3"))
    with pytest.raises(EdgeTernaryError, match=r"of \[data\] sounds: 'flod'.*did you mean 'fold'"):
        toml.read(path)
