"""Data sets from local files and installed packages only; nothing is downloaded."""

from collections.abc import Callable

from edgeternary.train.data.cifar import cifar10
from edgeternary.train.data.core import Array, Data, Split
from edgeternary.train.data.csv_series import csv_windows
from edgeternary.train.data.fashion import (
    FASHION_MNIST,
    FASHION_MNIST_FOLDER,
    FASHION_MNIST_LABELS,
    fashion_mnist,
)
from edgeternary.train.data.found import Found, found
from edgeternary.train.data.handwritten import mnist
from edgeternary.train.data.idx import read_idx
from edgeternary.train.data.keywords import keywords_test, synthetic_keywords
from edgeternary.train.data.king_james import Text, king_james
from edgeternary.train.data.motions import basic_motions, basic_motions_whole
from edgeternary.train.data.npz_file import npz
from edgeternary.train.data.optical_digits import digits
from edgeternary.train.data.picture_files import pictures
from edgeternary.train.data.sound_files import sounds
from edgeternary.train.data.speech import speech_commands
from edgeternary.train.data.vowels import japanese_vowels, japanese_vowels_whole

DATASETS: dict[str, Callable[..., Data]] = {
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "digits": digits,
    "basic-motions": basic_motions,
    "basic-motions-whole": basic_motions_whole,
    "japanese-vowels": japanese_vowels,
    "japanese-vowels-whole": japanese_vowels_whole,
    "synthetic-keywords": synthetic_keywords,
    "cifar10": cifar10,
    "speech-commands": speech_commands,
    "pictures": pictures,
    "sounds": sounds,
    "csv": csv_windows,
}

TEST_PARTS: dict[str, Callable[[], Split]] = {
    "synthetic-keywords": keywords_test
}  # cheaper than the whole set

TEXTS: dict[str, Callable[[], Text]] = {"king-james": king_james}  # for language models

__all__ = [
    "DATASETS", "FASHION_MNIST", "FASHION_MNIST_FOLDER", "FASHION_MNIST_LABELS", "Array", "Data", "Found",
    "Split", "TEST_PARTS", "TEXTS", "Text", "basic_motions", "basic_motions_whole", "cifar10", "csv_windows",
    "digits", "fashion_mnist", "found", "japanese_vowels", "japanese_vowels_whole", "keywords_test",
    "king_james", "mnist", "npz", "pictures", "read_idx", "sounds", "speech_commands", "synthetic_keywords",
]  # fmt: skip
