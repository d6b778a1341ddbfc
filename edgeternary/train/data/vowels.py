"""JapaneseVowels: 270 + 370 utterances of /ae/ by nine men, 12 LPC cepstra over 7 to 29 frames."""

from edgeternary.train.data.core import Data, Place
from edgeternary.train.data.series import load_series

JAPANESE_VOWELS = "JapaneseVowels, M. Kudo, J. Toyama, M. Shimbo, UCI repository"
CLASSES = tuple("123456789")
LENGTH = 29  # the longest utterance by the repository's description


def japanese_vowels(folder: Place = None, validation: float = 0.2, seed: int = 0) -> Data:
    """int8 codes (n, 1, 29, 12), padded at the end with 0, the channel's mean; the classes are the speakers.

    folder, validation, seed: see `load_series`. The package aeon holds the files.
    """
    return load_series("JapaneseVowels", JAPANESE_VOWELS, CLASSES, LENGTH, folder, validation, seed)


def japanese_vowels_whole() -> Data:
    """All 270 official training series train; see `load_series` with validation 0."""
    return japanese_vowels(validation=0)
