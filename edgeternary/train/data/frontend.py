"""The audio front end of TensorFlow Lite Micro (package pymicro-features), reduced to 49 frames of 10 bands.

It gives 40 log-mel bands every 10 ms, from windows of 30 ms, after noise reduction and automatic gain. The
package multiplies its uint16 values by 10/256. The micro_speech example maps the values 0..670 (25.6 * 26, so
0..26 here) to 256 codes: https://github.com/tensorflow/tflite-micro, examples/micro_speech.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import extras
from edgeternary.train.data.core import Array

SAMPLES = 16000  # one second at 16 kHz
STEP = 160  # samples that the front end takes in a call
FRAMES, BANDS = 49, 10
FULL = 26.0  # this value becomes code 256


class _PerThread(threading.local):
    """A front end has a state, so every thread needs its own."""

    frontend: Any = None


_own = _PerThread()


def _kind() -> Any:
    with extras.named():
        from pymicro_features import MicroFrontend
    return MicroFrontend


def new_frontend() -> Any:
    """A new MicroFrontend. EdgeTernaryError if its package is missing."""
    return _kind()()


def _frontend() -> Any:
    kind = _kind()
    _own.frontend = _own.frontend or kind()
    return _own.frontend


def codes_of(frames: NDArray[Any]) -> Array:
    """uint8 codes (n, 10) of the front end's values (n, 40): a code is the mean of 4 bands."""
    means = frames.reshape(len(frames), BANDS, 4).mean(2)
    return np.clip(np.rint(means * (256 / FULL)), 0, 255).astype(np.uint8)


def features(sound: NDArray[np.int16]) -> Array:
    """uint8 codes (49, 10) of the last second of int16 (n,): means of 4 bands in every second frame.

    n is a multiple of 160. The sound before the last second settles the noise estimate, as in continuous
    listening.
    """
    if sound.ndim != 1 or sound.dtype != np.int16 or len(sound) < SAMPLES or len(sound) % STEP:
        raise EdgeTernaryError(
            f"the sound is {sound.dtype} of shape {sound.shape}",
            f"it must be int16 (n,) at 16 kHz, n at least {SAMPLES} and a multiple of {STEP}",
        )
    frontend, raw = _frontend(), sound.astype("<i2").tobytes()
    frontend.reset()
    steps = [frontend.process_samples(raw[i : i + 2 * STEP]).features for i in range(0, len(raw), 2 * STEP)]
    frames = np.array([step for step in steps[-2 * FRAMES :] if step])  # the first window takes 3 steps
    return codes_of(frames[::2])
