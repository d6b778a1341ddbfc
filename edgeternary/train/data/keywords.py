"""The data set of synthetic keywords. It is made once, then read from the user's cache."""

import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import cache
from edgeternary.train.data import voices
from edgeternary.train.data.core import Array, Data, Place, Split
from edgeternary.train.data.keyword_sounds import LABELS, PARTS, make
from edgeternary.train.data.npz_file import npz
from edgeternary.train.files import write_whole

FORMAT = 2  # increases with every change of the samples
EACH = {"train": 1250, "validation": 150, "test": 250}  # samples of each of the 12 classes

Progress = Callable[[str, int, int], None]


def keywords_file() -> Path:
    """EDGETERNARY_KEYWORDS, or the file in the user's cache (XDG_CACHE_HOME, ~/.cache)."""
    named = os.environ.get("EDGETERNARY_KEYWORDS")
    return Path(named) if named else cache.directory() / "data" / f"synthetic-keywords-{FORMAT}.npz"


def synthetic_keywords(path: Place = None, progress: Progress | None = None) -> Data:
    """uint8 codes (n, 49, 10, 1) with 12 labels. The first use makes them in about three minutes of CPU.

    15,000 samples train, 1,800 validate and 3,000 test. Each part has its own speakers.

    path      replaces `keywords_file`
    progress  called with (part, done, total) while samples are made; without it, lines go to stderr
    EdgeTernaryError without espeak-ng or pymicro-features.
    """
    file = Path(path) if path else keywords_file()
    if not file.exists():
        write_keywords(file, EACH, progress or _print)
    return npz(file)


def keywords_test(path: Place = None) -> Split:
    """The test part alone, from the file if it exists; else made in half a minute of CPU and not stored."""
    file = Path(path) if path else keywords_file()
    return npz(file).test if file.exists() else make("test", EACH["test"])


def write_keywords(file: Path, each: Mapping[str, int], progress: Progress, seed: int = 0) -> None:
    """Makes each[part] samples of every class for every part, and writes them atomically."""
    arrays: dict[str, Array] = {}
    for part in PARTS:

        def count(done: int, total: int, part: str = part) -> None:
            progress(part, done, total)

        arrays[f"x_{part}"], arrays[f"y_{part}"] = make(part, each[part], count, seed)
    arrays["labels"] = np.array(LABELS)
    arrays["name"] = np.array(f"synthetic keywords {FORMAT}, spoken by espeak-ng {voices.version()}")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type] # taken for allow_pickle
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, buffer.getvalue())
    except OSError as error:
        remedy = "set EDGETERNARY_KEYWORDS or XDG_CACHE_HOME to a place that you can write to"
        raise EdgeTernaryError(f"the keywords cannot be written to {file}", str(error), remedy) from error


def _print(part: str, done: int, total: int) -> None:
    if done == total or done % 1500 == 0:
        print(f"making synthetic keywords: {part} {done:,} of {total:,}", file=sys.stderr, flush=True)
