"""Speech Commands v0.02 (P. Warden, 2018), the task of twelve classes: ten words, silence, and other words.

The archive has a folder of WAV files for each of 35 words, `_background_noise_`, and the lists
testing_list.txt and validation_list.txt. The archive of the test clips alone has folders of the twelve
classes; it is divided in folds by speaker. Sources: tensorflow.org/datasets/catalog/speech_commands, and the
README of the archive.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import Sound, codes
from edgeternary.train.data.core import Array, Data, Place
from edgeternary.train.data.divided import Grouping, divide
from edgeternary.train.data.folders import ByClass, existing
from edgeternary.train.data.folds import Folds, shuffled
from edgeternary.train.data.kept import kept
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.sound_files import Options, noted, read_clips, sound_settings, sounds
from edgeternary.train.data.wav import Clips

VARIABLE = "EDGETERNARY_SPEECH_COMMANDS"
REMEDY = "unpack speech_commands_v0.02.tar.gz into a folder, and set EDGETERNARY_SPEECH_COMMANDS to it"
WORDS = tuple("down go left no off on right stop up yes".split())  # in the order of MLPerf Tiny
SILENCE, UNKNOWN, NOISE = "_silence_", "_unknown_", "_background_noise_"
LISTS = {"testing_list.txt": "test", "validation_list.txt": "validation"}
SPEAKER = "_nohash_"
SPANS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}  # of each recording of noise


def speech_commands(
    folder: Place = None,
    *,
    words: Sequence[str] = WORDS,
    folds: int = 0,
    fold: int = 0,
    seed: int = 0,
    convert: bool = False,
    skip: bool = False,
    features: Options = {},
) -> Data:
    """Codes (n, frames, width, 1) with the labels `words`, _silence_, _unknown_.

    The lists say what validates and tests, and so no speaker is in two parts. In each part there are as many
    clips of other words, drawn with `seed`, and of silence, as there are of a word on average. Silence is cut
    from the recordings of noise, at a random level; each part has its own span of each recording. Short clips
    are padded with zeros.

    folds, fold  for a folder of the twelve classes without lists: a fold of the speakers tests
    convert, skip, features  see `sounds`
    """
    root = existing(folder, VARIABLE)
    missing = [name for name in LISTS if not (root / name).is_file()]
    if folds:
        if not missing:
            raise EdgeTernaryError(
                f"folds = {folds}", f"{root} has lists that say what tests", "leave `folds` out", USAGE
            )
        data = sounds(
            root, classes=(*words, SILENCE, UNKNOWN), speaker=SPEAKER, folds=folds, fold=fold, seed=seed,
            fit=True, convert=convert, skip=skip, features=features,
        )  # fmt: skip
        return dataclasses.replace(data, name=f"Speech Commands: {data.name}")
    if missing:
        raise EdgeTernaryError(
            f"{root} has no {missing[0]}",
            "the lists say which clips validate and which test",
            "copy the archive again; divide the archive of the test clips alone by speaker: folds = 5",
        )
    sound = sound_settings(features)
    found = _listed(root, words, seed)
    read = read_clips(found, sound, True, convert, skip)
    used = read["used"]
    y = found.classes[used]
    parts, _ = divide(found, used, y, Grouping("speaker", SPEAKER), Folds(seed=seed))
    each = [round(sum(y[places] < len(words)) / len(words)) for places in parts]
    silences = _silence(root, sound, dict(zip(SPANS, each)), seed, convert)
    splits = [
        (
            np.concatenate((read["x"][places], silence)),
            np.concatenate((y[places] + (y[places] == len(words)), np.full(len(silence), len(words)))),
        )
        for places, silence in zip(parts, silences)
    ]
    how = noted("its lists", read)
    title = f"Speech Commands v0.02, {len(words) + 2} classes ({how})"
    labels = (*words, SILENCE, UNKNOWN)
    kind, scale, zero = sound.type, sound.input_scale, sound.input_zero
    return Data(title, splits[0], splits[1], splits[2], labels, kind, scale, zero, sound=sound)


def _listed(root: Path, words: Sequence[str], seed: int) -> ByClass:
    """The clips of the words, then some of the other words, with the parts that the lists say."""
    lists = {
        line.strip(): part
        for name, part in LISTS.items()
        for line in (root / name).read_text(encoding="utf-8").splitlines()
    }
    folders = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] not in "._")
    for word in words:
        if word not in folders:
            raise EdgeTernaryError(
                f"{root} has no folder {word!r}", f"it has {', '.join(folders[:40])}", REMEDY
            )
    files: list[tuple[Path, int, str]] = []
    others: list[tuple[Path, int, str]] = []
    known = set()
    for name in folders:
        label = words.index(name) if name in words else len(words)
        for path in sorted((root / name).glob("*.wav")):
            listed = f"{name}/{path.name}"
            known.add(listed)
            (files if name in words else others).append((path, label, lists.get(listed, "train")))
    gone = sorted(entry for entry in lists.keys() - known if entry.partition("/")[0] in folders)
    if gone:
        raise EdgeTernaryError(
            f"{len(gone):,} clips of the lists of {root} are missing", f"such as {gone[0]}", "copy it again"
        )
    for part in SPANS:
        count = round(sum(own == part for _, _, own in files) / len(words))
        drawn = {str(path): (path, label, own) for path, label, own in others if own == part}
        files += [drawn[name] for name in sorted(shuffled(drawn, seed)[:count])]
    return ByClass(root, (*words, UNKNOWN), files)


def _silence(root: Path, sound: Sound, counts: dict[str, int], seed: int, convert: bool) -> list[Array]:
    """Codes of cuts of the noise for each part, as many as `counts` says."""
    paths = sorted((root / NOISE).glob("*.wav")) if (root / NOISE).is_dir() else []
    if not paths:
        raise EdgeTernaryError(f"{root} has no {NOISE}/*.wav", "silence is cut from these recordings", REMEDY)

    def make() -> dict[str, Array]:
        problems, clips = Problems(False), Clips(sound.rate, sound.samples, True, convert)
        noises = [noise for path in paths if (noise := clips.sound(path, problems)) is not None]
        problems.settle(len(paths))
        return {part: codes(sound, _cuts(noises, sound.samples, part, counts[part], seed)) for part in SPANS}

    read = kept({"silence": [sound, counts, seed, convert]}, paths, make)
    return [read[part] for part in SPANS]


def _cuts(noises: Sequence[Array], samples: int, part: str, count: int, seed: int) -> Array:
    """int16 (count, samples): each from the part's span of a recording, times a random level."""
    rng = np.random.default_rng([seed, list(SPANS).index(part)])
    cuts = np.zeros((count, samples), np.int16)
    for cut in cuts:
        noise = noises[int(rng.integers(len(noises)))]
        first, end = (round(edge * len(noise)) for edge in SPANS[part])
        start = first + int(rng.integers(max(1, end - first - samples + 1)))
        piece = noise[start : min(start + samples, end)]
        cut[: len(piece)] = np.rint(piece * rng.random())
    return cuts
