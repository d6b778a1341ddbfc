"""MLPerf Tiny's keyword model on clips, from samples: `python -m benchmarks.clips MODEL.tflite FOLDER`.

FOLDER has the test clips of Speech Commands v0.02, CLASS/*.wav of twelve classes. The features are those of
`edgeternary.features.mlperf`, in integers; `differ` counts codes that are not those of the same formulas in
float64, rounded. The interval is Wilson's.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import edgeternary
from edgeternary.errors import USAGE, EdgeTernaryError, script
from edgeternary.features import Sound, mlperf, tables
from edgeternary.train.data.folders import by_class
from edgeternary.train.data.problems import Problems
from edgeternary.train.data.sound_files import read_clips
from edgeternary.train.data.speech import SILENCE, UNKNOWN, WORDS
from edgeternary.train.data.wav import Clips
from edgeternary.train.interval import interval

EVERY = 25  # clips from one that is compared with floats to the next


def in_floats(sound: Sound, clip: NDArray[np.int16]) -> NDArray[np.float64]:
    """The codes (frames, coefficients) of a clip by the formulas of MLPerf's get_dataset.py."""
    x = clip / max(int(clip.max()), 1)
    frames = np.lib.stride_tricks.sliding_window_view(x, sound.window)[:: sound.hop]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(sound.window) / sound.window)
    spectrum = np.abs(np.fft.rfft(frames * window, sound.size))
    ends = np.linspace(float(tables.mel(sound.low)), float(tables.mel(sound.high)), sound.bands + 2)
    at = tables.mel(np.arange(sound.size // 2 + 1) * sound.rate / sound.size)[:, None]
    up, down = (at - ends[:-2]) / np.diff(ends)[:-1], (ends[2:] - at) / np.diff(ends)[1:]
    triangles = np.maximum(np.minimum(up, down), 0)
    triangles[0] = 0
    logs = np.log(spectrum @ triangles + 1e-6)
    j, b = np.arange(sound.coefficients)[:, None], np.arange(sound.bands)
    cosines = math.sqrt(2 / sound.bands) * np.cos(np.pi * j * (2 * b + 1) / (2 * sound.bands))
    codes = np.rint(logs @ cosines.T / sound.scale) + sound.zero
    return np.clip(codes, sound.codes.lo, sound.codes.hi)


def main() -> int:
    if len(sys.argv) != 3:
        raise EdgeTernaryError("name a model and a folder", "", (__doc__ or "").splitlines()[0], USAGE)
    graph = edgeternary.load(sys.argv[1])
    sound = mlperf(graph)
    found = by_class(sys.argv[2], (".wav",), (*WORDS, SILENCE, UNKNOWN))
    x = read_clips(found, sound, True, False, False)["x"]
    right = int((graph.run(x).outputs.argmax(1) == found.classes).sum())
    low, high = interval(right / len(x), len(x))
    share = f"{right / len(x):.2%} ({low:.2%} to {high:.2%})"
    print(f"{Path(sys.argv[1]).name}: {right:,} of {len(x):,} clips right, {share}")
    clips, problems = Clips(sound.rate, sound.samples, True, False), Problems(False)
    differences = np.concatenate([
        np.abs(in_floats(sound, clip) - x[i, :, :, 0]).ravel()
        for i in range(0, len(x), EVERY)
        if (clip := clips.read(found.files[i][0], problems)) is not None
    ])  # fmt: skip
    differ, far = int((differences > 0).sum()), int((differences > 1).sum())
    print(f"{differ:,} of {len(differences):,} codes differ from those of floats, {far:,} by more than 1")
    return 0


if __name__ == "__main__":
    script(main)
