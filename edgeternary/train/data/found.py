"""Finds the data sets that can be loaded on this machine, without loading them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data import (
    cifar,
    csv_series,
    fashion,
    handwritten,
    king_james,
    optical_digits,
    picture_files,
    sound_files,
    speech,
    ts,
)
from edgeternary.train.data.keywords import keywords_file

PIP = "pip install 'edgeternary[data]'"
MAKE = "apt install espeak-ng, pip install 'edgeternary[data]', then: edgeternary data keywords"


@dataclass(frozen=True)
class Found:
    """A data set.

    path    the place from which it would be read; None if it is missing
    remedy  how to get it
    """

    name: str
    path: Path | None
    remedy: str


def _file(path: Path) -> Path | None:
    return path if path.is_file() else None


def _idx(variable: str, default: Path) -> Path | None:
    base = Path(os.environ.get(variable) or default)
    return base if list(base.glob("train-images-idx3-ubyte*")) else None


def _aeon(name: str) -> Path | None:
    try:
        folder = ts.aeon_folder(name)
    except EdgeTernaryError:
        return None
    return folder if (folder / f"{name}_TRAIN.ts").is_file() else None


def _digits() -> Path | None:
    try:
        return _file(optical_digits.digits_file())
    except EdgeTernaryError:
        return None


def _folder(variable: str) -> Path | None:
    folder = Path(os.environ.get(variable) or "")
    return folder.absolute() if os.environ.get(variable) and folder.exists() else None


def _cifar10() -> Path | None:
    folder = cifar.cifar10_folder()
    return folder.absolute() if cifar.cifar10_layout(folder) else None


PLACES: dict[str, tuple[Callable[[], Path | None], str]] = {
    "mnist": (lambda: _idx("EDGETERNARY_MNIST", handwritten.mnist_folder()), handwritten.REMEDY),
    "fashion-mnist": (
        lambda: _idx("EDGETERNARY_FASHION_MNIST", fashion.FASHION_MNIST_FOLDER),
        fashion.REMEDY,
    ),
    "digits": (_digits, PIP),
    "basic-motions": (lambda: _aeon("BasicMotions"), PIP),
    "basic-motions-whole": (lambda: _aeon("BasicMotions"), PIP),
    "japanese-vowels": (lambda: _aeon("JapaneseVowels"), PIP),
    "japanese-vowels-whole": (lambda: _aeon("JapaneseVowels"), PIP),
    "synthetic-keywords": (lambda: _file(keywords_file()), MAKE),
    "cifar10": (_cifar10, cifar.REMEDY),
    "speech-commands": (lambda: _folder(speech.VARIABLE), speech.REMEDY),
    "pictures": (lambda: _folder(picture_files.VARIABLE), picture_files.REMEDY),
    "sounds": (lambda: _folder(sound_files.VARIABLE), sound_files.REMEDY),
    "csv": (lambda: _folder(csv_series.VARIABLE), csv_series.REMEDY),
    "king-james": (king_james.king_james_reader, king_james.REMEDY),
}


def found() -> list[Found]:
    """One entry for each of DATASETS in their order, then one for each of TEXTS."""
    return [Found(name, place(), remedy) for name, (place, remedy) in PLACES.items()]
