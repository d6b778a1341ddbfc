"""Feature frames of a continuous sound, such as that of a microphone: 10 bands every 20 ms."""

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array
from edgeternary.train.data.frontend import BANDS, STEP, codes_of, new_frontend

HOP = 2 * STEP  # samples from frame to frame: 20 ms at 16 kHz


class SoundFrames:
    """A front end that keeps its state between calls: the noise estimates and the remaining samples.

    frames = SoundFrames()
    frames.push(samples)          # int16 (n,) at 16 kHz, any n -> uint8 (frames, 10)

    The frames do not depend on how the sound is divided into calls. The first frame ends after 30 ms.
    """

    def __init__(self) -> None:
        self._frontend = new_frontend()
        self._rest = np.zeros(0, np.int16)
        self._odd = False

    def push(self, sound: NDArray[np.int16]) -> Array:
        """uint8 codes (frames, 10) of the frames that these samples complete."""
        if sound.ndim != 1 or sound.dtype != np.int16:
            raise EdgeTernaryError(
                f"the sound is {sound.dtype} of shape {sound.shape}", "it must be int16 (n,) at 16 kHz"
            )
        samples = np.concatenate((self._rest, sound))
        whole = len(samples) // STEP * STEP
        self._rest, raw = samples[whole:], samples[:whole].astype("<i2").tobytes()
        found = []
        for start in range(0, len(raw), 2 * STEP):
            bands = self._frontend.process_samples(raw[start : start + 2 * STEP]).features
            if bands and not self._odd:
                found.append(bands)
            self._odd ^= bool(bands)
        return codes_of(np.array(found)) if found else np.zeros((0, BANDS), np.uint8)
