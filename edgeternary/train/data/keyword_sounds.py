"""Makes synthetic keywords: one second of espeak-ng and noise gives 49 frames of 10 bands."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from edgeternary.train.data import voices
from edgeternary.train.data.core import Split
from edgeternary.train.data.frontend import BANDS, FRAMES, SAMPLES, features

WORDS = "yes no up down left right on off stop go".split()
LABELS = (*WORDS, "silence", "unknown")
OTHERS = (  # spoken for "unknown", in all parts
    "backward bed bird cat dog eight five follow forward four happy house learn marvin nine one seven "
    "sheila six three tree two visual wow zero"
).split()
PARTS = ("train", "validation", "test")

Sound = NDArray[np.float64]
Progress = Callable[[int, int], None]


def draw(part: str, index: int, seed: int = 0) -> tuple[NDArray[np.int16], int]:
    """Sample `index` of a part, int16 (32000,) at 16 kHz, and its label. It does not depend on other samples.

    The first second is noise; the second one also has a word at a random place. A random speaker of the part
    says it in a random accent, at 120..200 words a minute and pitch 20..80. The noise has a power spectrum of
    f^0 to f^-2 and is 0..30 dB below the word. The peak is 3..27 dB below full scale.
    """
    random = np.random.default_rng([seed, PARTS.index(part), index])
    label = index % len(LABELS)
    noise = coloured_noise(random)
    if LABELS[label] == "silence":
        sound, peak = noise, random.uniform(-66, -6)
    else:
        word = LABELS[label] if label < len(WORDS) else random.choice(OTHERS)
        speaker, accent = random.choice(voices.SPEAKERS[part]), random.choice(voices.ACCENTS)
        rate, pitch = int(random.integers(120, 201)), int(random.integers(20, 81))
        word = f"{word}{random.choice(['', '?', '!'])}"
        spoken = voices.speak(word, speaker, accent, rate, pitch)[:SAMPLES]
        start = int(random.integers(0, SAMPLES - len(spoken) + 1))
        loudness = np.sqrt(np.mean(spoken**2))
        noise *= loudness * 10 ** (-random.uniform(0, 30) / 20)
        sound = noise.copy()
        sound[start : start + len(spoken)] += spoken
        peak = random.uniform(-27, -3)
    both = np.concatenate((noise, sound)) / np.abs(sound).max() * 32767 * 10 ** (peak / 20)
    return np.rint(np.clip(both, -32768, 32767)).astype(np.int16), label


def coloured_noise(random: np.random.Generator) -> Sound:
    """One second of periodic noise of power 1. Its spectrum falls with f^-c, c in 0..2 (white to brown)."""
    spectrum = np.fft.rfft(random.normal(size=SAMPLES))
    spectrum *= np.maximum(np.arange(len(spectrum)), 20.0) ** (-random.uniform(0, 2) / 2)  # flat below 20 Hz
    noise = np.fft.irfft(spectrum, SAMPLES)
    return noise / np.sqrt(np.mean(noise**2))


def make(part: str, each: int, progress: Progress | None = None, seed: int = 0) -> Split:
    """Codes uint8 (12 * each, 49, 10, 1) and labels uint8. Calls progress(done, total) after every sample.

    Each core has a thread, since espeak-ng's processes take most of the time. A sample depends only on its
    index.
    """
    total = each * len(LABELS)
    x, y = np.zeros((total, FRAMES, BANDS, 1), np.uint8), np.zeros(total, np.uint8)

    def fill(i: int) -> None:
        sound, y[i] = draw(part, i, seed)
        x[i, :, :, 0] = features(sound)

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for i, _ in enumerate(pool.map(fill, range(total))):
            if progress:
                progress(i + 1, total)
    finally:
        pool.shutdown(cancel_futures=True)
    return x, y
