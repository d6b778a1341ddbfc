"""WAV files in a folder for each class: codes of the integer front end, in folds by speaker."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features import Sound, codes
from edgeternary.train.data.core import Array, Data, Place
from edgeternary.train.data.divided import Grouping, divide, groups_of
from edgeternary.train.data.folders import ByClass, by_class
from edgeternary.train.data.folds import Folds
from edgeternary.train.data.kept import kept
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.sound_copies import Copies
from edgeternary.train.data.watch import tell
from edgeternary.train.data.wav import Clips

BLOCK = 256  # files at once
VARIABLE = "EDGETERNARY_SOUNDS"
REMEDY = (
    'name a folder of WAV files CLASS/*.wav: [data] name = "sounds", folder = "..." in a recipe; '
    "or set EDGETERNARY_SOUNDS"
)
Options = Mapping[str, Any]
S = TypeVar("S", Sound, Copies)


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
    series: bool = False,
    features: Options = {},
    copies: Options = {},
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
    series      codes (n, 1, frames, width): the bands are channels, for convolutions over time
    features    settings of `features.Sound`
    copies      settings of `Copies`: changed copies of the training clips, to which recorded noise is added
                from classes without speakers
    """
    sound, more = sound_settings(features), settings(copies, Copies, "copies")
    found = by_class(folder, (".wav",), classes, VARIABLE)
    read = read_clips(found, sound, fit, convert, skip)
    x, used = read["x"], read["used"]
    y = found.classes[used]
    parts, how = divide(found, used, y, Grouping("speaker", speaker), Folds(folds, fold, validation, seed))
    title = f"{found.root.name}: {len(y):,} sounds ({noted(how, read)})"
    train, held, test = ((x[places], y[places]) for places in parts)
    if more.count:
        kinds = groups_of(found, Grouping("speaker", speaker))[1] if speaker else [""] * len(found.files)
        noisy = np.array([bool(kind) for kind in kinds])[used[parts[0]]]
        paths = [found.files[i][0] for i in used[parts[0]]]
        made = copied(paths, noisy, more, sound, Clips(sound.rate, sound.samples, fit, convert))
        train = np.concatenate([train[0], made]), np.tile(train[1], more.count + 1)
    if series:
        train, held, test = ((x.transpose(0, 3, 1, 2), y) for x, y in (train, held, test))
    return Data(
        title, train, held, test, found.labels, sound.type, sound.input_scale, sound.input_zero, sound=sound
    )


def noted(how: str, read: Mapping[str, Array]) -> str:
    """How the samples were divided, and what was skipped."""
    skipped = str(read["skipped"])
    return f"{how}, {skipped}" if skipped else how


def copied(
    paths: Sequence[Path], noisy: NDArray[np.bool_], copies: Copies, sound: Sound, clips: Clips
) -> Array:
    """Codes (count * n, frames, width, 1) of changed copies of the files; the `noisy` ones are the noise."""

    def make() -> dict[str, Array]:
        raw = np.stack([clip for path in paths if (clip := clips.read(path, Problems(False))) is not None])
        made = copies.of(raw, raw[noisy], sound.rate)
        parts: list[Array] = []
        for start in range(0, len(made), BLOCK):
            parts.append(codes(sound, made[start : start + BLOCK]))
            tell("making copies", min(start + BLOCK, len(made)), len(made))
        return {"x": np.concatenate(parts)}

    return kept({"sounds": sound, "clips": vars(clips), "copies": copies}, paths, make)["x"]


def settings(table: Options, kind: type[S], key: str) -> S:
    """A `kind` of a table of [data]; EdgeTernaryError for unknown keys and values."""
    try:
        return msgspec.convert(dict(table), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise EdgeTernaryError(
            f"[data] {key} = {dict(table)}"[:200], str(error), f"known keys are {known}", USAGE
        ) from error


def sound_settings(features: Options) -> Sound:
    """`features.Sound` of a table; EdgeTernaryError for unknown keys and values."""
    return settings(features, Sound, "features")


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
