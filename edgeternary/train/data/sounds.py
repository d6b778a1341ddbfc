"""WAV files in a folder for each class: codes of the integer front end, in folds by speaker."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import Sound, codes
from edgeternary.train.data.core import Array, Data, Place
from edgeternary.train.data.folders import ByClass, by_class
from edgeternary.train.data.folds import Folds, check_parts, check_share, shuffled
from edgeternary.train.data.kept import kept
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.watch import tell
from edgeternary.train.data.wav import Clips

BLOCK = 256  # files at once
VARIABLE = "EDGETERNARY_SOUNDS"
REMEDY = (
    'WAV files CLASS/*.wav: [data] name = "sounds", folder = "..." in a recipe; or set EDGETERNARY_SOUNDS'
)
Options = Mapping[str, Any]


def sounds(
    folder: Place = None,
    *,
    classes: Sequence[str] | None = None,
    speaker: str = "",
    folds: int = 5,
    fold: int = 0,
    validation: float = 0.1,
    seed: int = 0,
    fit: bool = False,
    convert: bool = False,
    skip: bool = False,
    features: Options = {},
) -> Data:
    """Codes (n, frames, width, 1) of the WAV files CLASS/*.wav, or train/CLASS/*.wav and test/CLASS/*.wav.

    classes     the folders that are classes, in the order of the labels; all by default
    speaker     a regular expression that finds the speaker in a file's name: its first group, or without a
                group what is before it ("_nohash_"). Then no speaker is in two parts. A class in which no
                name has it, such as recorded noise, is divided file by file
    folds, fold without folders train and test: a fold of `folds` tests, the others train
    validation  the share of the training speakers (or files) that validates
    seed        of the folds
    fit, convert, skip  see `wav.Clips` and `problems.Problems`
    features    settings of `features.Sound`
    """
    sound = sound_settings(features)
    found = by_class(folder, (".wav",), classes, VARIABLE)
    groups, kinds, without = speakers(found, speaker)
    read = read_clips(found, sound, fit, convert, skip)
    used = read["used"]
    x, y = read["x"], np.array([label for _, label, _ in found.files], np.int64)[used]
    groups, kinds = [groups[i] for i in used], [kinds[i] for i in used]
    what = "speaker" if speaker else "file"
    if found.split:
        check_share(validation)
        parts = named_parts([found.files[i][2] for i in used], groups, validation, seed, what)
        how = "folders train and test"
    else:
        parts = Folds(folds, fold, validation, seed).parts(groups, kinds)
        how = f"fold {fold} of {folds} by {what}"
    check_parts(parts, y, found.labels, groups, what)
    count = len({group for group, kind in zip(groups, kinds) if not kind}) if speaker else 0
    notes = [how, f"{count:,} speakers" * bool(count), without, str(read["skipped"])]
    title = f"{found.root.name}: {len(y):,} sounds ({', '.join(note for note in notes if note)})"
    train, held, test = ((x[places], y[places]) for places in parts)
    return Data(
        title, train, held, test, found.labels, sound.type, sound.input_scale, sound.input_zero, sound=sound
    )


def sound_settings(features: Options) -> Sound:
    """`features.Sound` of a table; EdgeTernaryError for unknown keys and values."""
    try:
        return msgspec.convert(dict(features), Sound)
    except msgspec.ValidationError as error:
        known = ", ".join(Sound.__struct_fields__)
        raise EdgeTernaryError(
            f"[data] features = {dict(features)}"[:200], str(error), f"known keys are {known}", USAGE
        ) from error


def speakers(found: ByClass, pattern: str) -> tuple[list[str], list[str], str]:
    """(group, kind of group) of each file, and a note on classes without speakers."""
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise EdgeTernaryError(
            f"speaker = {pattern!r}", f"it is no regular expression: {error}", 'as in "_nohash_"', USAGE
        ) from error
    names = [rule.search(path.stem) if pattern else None for path, _, _ in found.files]
    spoken = {label for match, (_, label, _) in zip(names, found.files) if match}
    if pattern and not spoken:
        called = f"a file is called {found.files[0][0].name}"
        raise EdgeTernaryError(f"speaker = {pattern!r} is in no file name", called, "correct the pattern")
    groups, kinds = [], []
    for match, (path, label, _) in zip(names, found.files):
        if match is None and label in spoken:
            raise EdgeTernaryError(
                f"{path.name} of class {found.labels[label]!r} has no speaker",
                f"speaker = {pattern!r} is in other names of the class, not in this one",
                "rename the file, or correct the pattern",
            )
        if match is None:
            kinds.append(found.labels[label])
            groups.append(f"{found.labels[label]}/{path.name}")
        else:
            kinds.append("")
            groups.append((match[1] if rule.groups else path.stem[: match.start()]) or path.stem)
    apart = [name for label, name in enumerate(found.labels) if label not in spoken] if pattern else []
    return groups, kinds, f"{', '.join(apart)} without speakers" if apart else ""


def named_parts(
    names: Sequence[str], groups: Sequence[str], validation: float, seed: int, what: str
) -> tuple[Array, Array, Array]:
    """Indices by the folders train, validation and test; without validation, some of the training groups."""
    part = np.array(names)
    train, held, test = (np.flatnonzero(part == name) for name in ("train", "validation", "test"))
    if not held.size:
        order = shuffled({groups[i] for i in train}, seed)
        chosen = set(order[: max(1, round(validation * len(order)))])
        inside = np.array([groups[i] in chosen for i in train], bool)
        train, held = train[~inside], train[inside]
    twice = {groups[i] for i in test} & {groups[i] for i in train} if what == "speaker" else set()
    if twice:
        raise EdgeTernaryError(
            f"speaker {min(twice)!r} trains and tests",
            f"so do {len(twice) - 1:,} others" if len(twice) > 1 else "the figures would be too good",
            "move the files of a speaker to one part, or leave `speaker` out",
        )
    return train, held, test


def read_clips(found: ByClass, sound: Sound, fit: bool, convert: bool, skip: bool) -> dict[str, Array]:
    """x (n, frames, width, 1), `used`: the indices of their files, and the text `skipped`."""
    paths = [path for path, _, _ in found.files]
    clips = Clips(sound.rate, sound.samples, fit, convert)

    def make() -> dict[str, Array]:
        problems = Problems(skip)
        parts: list[Array] = []
        used: list[int] = []
        for start in range(0, len(paths), BLOCK):
            block = [clips.read(path, problems) for path in paths[start : start + BLOCK]]
            used += [start + i for i, clip in enumerate(block) if clip is not None]
            if not problems.found or skip:
                good = [clip for clip in block if clip is not None]
                parts += [codes(sound, np.stack(good))] if good else []
            tell(f"reading {found.root.name}", min(start + BLOCK, len(paths)), len(paths))
        text = problems.settle(len(paths))
        return {"x": np.concatenate(parts), "used": np.array(used, np.int64), "skipped": np.array(text)}

    settings = {"sounds": sound, "fit": fit, "convert": convert, "skip": skip}
    return kept(settings, paths, make)
