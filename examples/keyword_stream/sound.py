"""WAV files as int16 at 16 kHz, and their feature frames."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array
from edgeternary.train.data.sound_frames import HOP, SoundFrames

RATE = 16_000
BLOCK = 512  # samples; a file at 8 kHz is doubled in its spectrum, padded to a multiple


def read_wav(path: Path) -> NDArray[np.int16]:
    """Samples at 16 kHz of a mono 16-bit PCM file at 16 kHz, or at 8 kHz as telephones have it.

    EdgeTernaryError says what else the file is, and the command that makes it right.
    """
    remedy = f"make it one with: ffmpeg -i {path.name} -ar 16000 -ac 1 -c:a pcm_s16le right.wav"
    try:
        with wave.open(str(path)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (OSError, wave.Error, EOFError) as error:
        raise EdgeTernaryError(f"{path} cannot be read as WAV", str(error), remedy) from error
    if (channels, width) != (1, 2) or rate not in (RATE, RATE // 2):
        why = f"it has {channels} channels of {8 * width} bits at {rate:,} Hz"
        raise EdgeTernaryError(f"{path} is no mono 16-bit sound at 16 kHz or 8 kHz", why, remedy)
    sound = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
    if not sound.size:
        raise EdgeTernaryError(f"{path} holds no sound", "it has no samples", remedy)
    return sound if rate == RATE else doubled(sound)


def doubled(sound: NDArray[np.int16]) -> NDArray[np.int16]:
    """From 8 to 16 kHz: the same spectrum up to 4 kHz, nothing above."""
    size = -(-len(sound) // BLOCK) * BLOCK
    smooth = 2 * np.fft.irfft(np.fft.rfft(sound, size), 2 * size)[: 2 * len(sound)]
    return np.rint(np.clip(smooth, -32768, 32767)).astype(np.int16)


def quiet(seconds: float, seed: int = 0) -> NDArray[np.int16]:
    """A faint noise, which settles the front end as a microphone's would."""
    return np.random.default_rng(seed).normal(0, 12, int(seconds * RATE)).round().astype(np.int16)


def frames(sound: NDArray[np.int16]) -> Array:
    """uint8 (frames, 10): frame i ends (i + 1) * 20 + 10 ms into the sound."""
    return SoundFrames().push(sound)


def seconds(frame: int) -> float:
    """When a frame ends."""
    return ((frame + 1) * HOP + HOP // 2) / RATE
