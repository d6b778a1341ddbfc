"""WAV files as int16 samples of one channel."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.train.data.problems import Problems

RATES = range(1_000, 400_000)  # Hz, of files that can be resampled
MOST_BYTES = 1 << 28  # of a file
Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Clips:
    """How files become clips of one length.

    rate, samples  of a clip
    fit            a shorter file is padded with zeros at its end, a longer one loses its end
    convert        other rates are resampled, channels averaged, other widths rounded to 16 bits
    """

    rate: int
    samples: int
    fit: bool
    convert: bool

    def read(self, path: Path, problems: Problems) -> Samples | None:
        """int16 (samples,); None, and an entry of `problems`, for a file that is no such clip."""
        sound = self.sound(path, problems)
        if sound is None:
            return None
        if len(sound) != self.samples and not self.fit:
            kind = "shorter" if len(sound) < self.samples else "longer"
            why = f"it has {len(sound):,} samples, a clip has {self.samples:,}"
            problems.add(path, kind, why, "fit = true pads short files with zeros and cuts long ones")
            return None
        clip = np.zeros(self.samples, np.int16)
        clip[: len(sound)] = sound[: self.samples]
        return clip

    def sound(self, path: Path, problems: Problems) -> Samples | None:
        """The whole file at `rate`, int16 (n,); None, and an entry of `problems`, if that cannot be."""
        try:
            if path.stat().st_size > MOST_BYTES:
                problems.add(path, "too large", f"it has more than {MOST_BYTES:,} bytes", "cut it into clips")
                return None
            with wave.open(str(path)) as file:
                rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
                wanted = file.getnframes() * channels * width
                data = file.readframes(file.getnframes())
        except (OSError, EOFError, wave.Error, ValueError, RuntimeError) as error:
            problems.add(path, "broken", f"it cannot be read as WAV: {error or 'it ends too early'}")
            return None
        if not data or len(data) < wanted:
            why = f"its header promises {wanted:,} bytes of samples, it has {len(data):,}"
            problems.add(path, "broken" if data else "empty", why)
            return None
        if not self.convert and (rate, channels, width) != (self.rate, 1, 2):
            self._refuse(path, rate, channels, width, problems)
            return None
        if rate not in RATES or channels not in range(1, 33) or width not in range(1, 5):
            problems.add(
                path, "broken", f"{channels} channels of {8 * width} bits at {rate:,} Hz are no sound"
            )
            return None
        frames = widened(data, width).reshape(-1, channels)
        if (rate, channels, width) == (self.rate, 1, 2):
            return frames[:, 0].astype(np.int16)
        return rounded(resampled(frames.mean(1), rate, self.rate))

    def _refuse(self, path: Path, rate: int, channels: int, width: int, problems: Problems) -> None:
        if rate != self.rate:
            kind, why = f"at {rate:,} Hz", f"its rate is {rate:,} Hz, not {self.rate:,}"
        elif channels != 1:
            kind, why = "with several channels", f"it has {channels} channels, one is needed"
        else:
            kind, why = f"of {8 * width} bits", f"its samples have {8 * width} bits, 16 are needed"
        problems.add(path, kind, why, "convert = true resamples, averages channels and rounds to 16 bits")


def widened(data: bytes, width: int) -> NDArray[np.float64]:
    """Samples of `width` bytes, little-endian, in units of 16 bits; those of one byte are unsigned."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) * 256
    if width == 3:
        raw = np.frombuffer(data, np.uint8).reshape(-1, 3)
        high = raw[:, 2].astype(np.int8).astype(np.int32) << 16
        return (high | raw[:, 1].astype(np.int32) << 8 | raw[:, 0]).astype(np.float64) / 256
    return np.frombuffer(data, f"<i{width}").astype(np.float64) / 256.0 ** (width - 2)


def resampled(sound: NDArray[np.float64], rate: int, wanted: int) -> NDArray[np.float64]:
    """The same spectrum, as far as both rates have it, at another rate."""
    if rate == wanted:
        return sound
    n = len(sound)
    count = max(1, round(n * wanted / rate))
    spectrum = np.fft.rfft(sound)[: count // 2 + 1]
    return np.fft.irfft(spectrum, count) * (count / n)


def rounded(sound: NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
