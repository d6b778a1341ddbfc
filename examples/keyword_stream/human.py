"""A second test: a human's recordings, of Debian's asterisk-core-sounds-en-wav (CC BY-SA 3.0, Allison Smith).

    apt install asterisk-core-sounds-en-wav

One speaker, 8 kHz. Every keyword is there once; other recordings of single words must not be taken for one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from keypad import WORDS
from numpy.typing import NDArray
from sound import quiet, read_wav

from edgeternary.toolchains import require

KEYWORDS = {word: f"digits/{i if i < 10 else word}.wav" for i, word in enumerate(WORDS)}
OTHERS = (
    *(f"digits/day-{i}.wav" for i in range(7)),
    *(f"digits/mon-{i}.wav" for i in range(12)),
    *(f"phonetic/{letter}_p.wav" for letter in "abcdefghijklmnopqrstuvwxyz"),
    *(f"letters/{letter}.wav" for letter in "abcdefghijklmnpqrstuvwxyz"),  # o is a zero to many
    *(f"digits/{name}.wav" for name in "hundred thousand million minus today tomorrow yesterday".split()),
    *(
        f"{name}.wav"
        for name in "hello vm-goodbye minutes extension number invalid is with your time".split()
    ),
)


def recording(name: str) -> NDArray[np.int16]:
    """A recording between 1.2 and 0.8 seconds of faint noise, 16 kHz."""
    folder = Path(require("asterisk-sounds").where).parents[1]
    return np.concatenate((quiet(1.2), read_wav(folder / name), quiet(0.8, 1)))
