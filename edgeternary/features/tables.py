"""The tables of a front end: window, bands, cosines."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.features.sound import Sound
from edgeternary.ops.spectrum import ONE

Ints = NDArray[np.int32]
COSINE = 127  # a cosine of 1


def hann(width: int) -> Ints:
    """(1 - cos(2 pi n / width)) / 2 for n < width, in 2^-15: the periodic window."""
    return np.rint(ONE * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width))).astype(np.int32)


def mel(hertz: float | NDArray[Any]) -> NDArray[np.float64]:
    """1127 ln(1 + f / 700)."""
    return np.asarray(1127 * np.log1p(np.asarray(hertz, np.float64) / 700))


def triangles(sound: Sound) -> tuple[Ints, Ints]:
    """(edges, rise) of log_mel: triangles on the mel scale between the middles of the bands beside each.

    EdgeTernaryError for a band that no bin of the transform falls into.
    """
    size = sound.size
    ends = np.linspace(float(mel(sound.low)), float(mel(sound.high)), sound.bands + 2)
    at = mel(np.arange(size // 2) * (sound.rate / size))
    edges = np.maximum(np.searchsorted(at, ends), 1).astype(np.int32)
    empty = np.flatnonzero(edges[2:] == edges[:-2])
    if empty.size:
        raise EdgeTernaryError(
            f"bands = {sound.bands}: band {empty[0]} is empty",
            f"it is narrower than a bin of the transform, {sound.rate / size:.1f} Hz",
            "give fewer bands, a longer window or a higher `low`",
            USAGE,
        )
    bins = np.arange(edges[0], edges[-1])
    interval = np.searchsorted(edges, bins, "right") - 1
    share = (at[bins] - ends[interval]) / (ends[interval + 1] - ends[interval])
    return edges, np.rint(ONE * np.clip(share, 0, 1)).astype(np.int32)


def cosines(sound: Sound) -> NDArray[np.int8]:
    """127 cos(pi j (2 b + 1) / (2 bands)), (coefficients, bands)."""
    j, b = np.arange(sound.coefficients)[:, None], np.arange(sound.bands)
    return np.rint(COSINE * np.cos(np.pi * j * (2 * b + 1) / (2 * sound.bands))).astype(np.int8)


def unit(sound: Sound) -> float:
    """What a coefficient grows by where a sum of 127 cosines times 1/256 doublings grows by 1."""
    return math.sqrt(2 / sound.bands) * math.log(2) / 256 / COSINE
