"""The codes of many clips in numpy, as every other executor of the front end gives them."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.features.front import front
from edgeternary.features.sound import Sound
from edgeternary.ir import Graph

BLOCK = 64  # clips at once
Progress = Callable[[int, int], None]


def codes(sound: Sound, clips: NDArray[np.int16], progress: Progress | None = None) -> NDArray[Any]:
    """Codes (n, frames, width, 1), of the dtype of `sound.type`, of int16 clips (n, samples).

    progress: called with (done, n). EdgeTernaryError for clips of another shape or dtype.
    """
    if clips.dtype != np.int16 or clips.ndim != 2 or clips.shape[1] != sound.samples:
        raise EdgeTernaryError(
            f"the clips are {clips.dtype} of shape {clips.shape}",
            f"the front end reads int16 (n, {sound.samples:,})",
            "cut or pad them to one length",
        )
    found = np.zeros((len(clips), sound.frames, sound.width, 1), sound.codes.dtype)
    ops = _front(sound).ops
    for start in range(0, len(clips), BLOCK):
        x = clips[start : start + BLOCK].astype(np.int32)
        for op in ops:
            x = op.ref(x)
        found[start : start + BLOCK] = x
        if progress:
            progress(min(start + BLOCK, len(clips)), len(clips))
    return found


@lru_cache(maxsize=8)
def _front(sound: Sound) -> Graph:
    return front(sound)
