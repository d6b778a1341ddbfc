"""The data: keys of a telephone spoken by espeak-ng, in noise, as feature frames. Synthetic: no human speaks.

    python examples/keyword_stream/keypad.py                   # makes the three parts, into the user's cache
    python examples/keyword_stream/keypad.py --wav words.wav   # a sound for live.py, of the test voices

A clip is two seconds, 98 frames of 10 bands at 20 ms, in which one word begins and ends. Each part has
speakers (voice variants of espeak-ng) of its own, see edgeternary/train/data/voices.py.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError, script
from edgeternary.toolchains import cache
from edgeternary.train.data import voices
from edgeternary.train.data.frontend import BANDS
from edgeternary.train.data.keyword_sounds import coloured_noise
from edgeternary.train.data.sound_frames import HOP, SoundFrames
from edgeternary.train.files import write_whole

WORDS = "zero one two three four five six seven eight nine star pound".split()
LABELS = (*WORDS, "silence", "unknown")
SILENCE, UNKNOWN = len(WORDS), len(WORDS) + 1
OTHERS = (  # spoken for "unknown", and before some words, in all parts
    "yes no up down left right on off stop go backward bed bird cat dog follow forward happy house learn "
    "marvin sheila tree visual wow hello goodbye monday friday sunday january april august alpha bravo delta "
    "echo golf hotel india lima mike november oscar papa romeo sierra tango victor whiskey zulu thousand "
    "hundred minus today tomorrow message number please press sorry thank enter extension again"
).split()
EACH = {"train": 1000, "validation": 50, "test": 100}  # clips of each of the 14 classes
RATE, FRAMES = voices.RATE, 98
FORMAT = 1  # counts up with every change of the clips

Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Clips:
    """x: uint8 (n, 98, 10); y: labels (n,); span: first and last frame of the word (n, 2), 0 for silence."""

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    span: NDArray[np.uint8]


def draw(part: str, index: int) -> tuple[NDArray[np.int16], int, tuple[int, int]]:
    """Clip `index` of a part: int16 (48,000,) at 16 kHz, its label, and first and last frame of the word.

    A second of noise, which settles the front end, then two with a word that begins after 0.6..1 s, by a
    random speaker of the part in a random accent at 120..200 words a minute; in a quarter of the clips
    another word goes before it. The noise has a power spectrum of f^0 to f^-2 and is 0..30 dB below the word.
    The spectrum of four in ten clips ends at 3.3..4 kHz, as on a telephone.
    """
    random = np.random.default_rng([7, list(EACH).index(part), index])
    label = index % len(LABELS)
    length = FRAMES * HOP + HOP // 2 + 160
    noise = np.concatenate([coloured_noise(random)] * 3)[: RATE + length]
    peak, span, sound = random.uniform(-66, -6), (0, 0), noise.copy()
    if label != SILENCE:
        word = _speak(LABELS[label] if label < len(WORDS) else random.choice(OTHERS), part, random)
        start = RATE + int(random.uniform(0.6, 1.0) * RATE)
        sound *= np.sqrt(np.mean(word**2)) * 10 ** (-random.uniform(0, 30) / 20)
        sound[start : start + len(word)] += word
        if random.random() < 0.25:
            other = _speak(random.choice(OTHERS), part, random)
            end = start - int(random.uniform(0.06, 0.4) * RATE)
            begin = max(0, end - len(other))
            sound[begin:end] += other[len(other) - (end - begin) :]
        span = ((start - RATE) // HOP, (start - RATE + len(word)) // HOP)
        peak = random.uniform(-27, -3)
    if random.random() < 0.4:
        sound = lowpass(sound, random.uniform(3300, 4000))
    loud = sound / np.abs(sound).max() * 32767 * 10 ** (peak / 20)
    return np.rint(np.clip(loud, -32768, 32767)).astype(np.int16), label, span


def _speak(word: str, part: str, random: np.random.Generator) -> Sound:
    """One word, at most a second."""
    speaker, accent = random.choice(voices.SPEAKERS[part]), random.choice(voices.ACCENTS)
    rate, pitch = int(random.integers(120, 201)), int(random.integers(20, 81))
    return voices.speak(word + random.choice(["", "?", "!"]), speaker, accent, rate, pitch)[: RATE - HOP]


def lowpass(sound: Sound, hertz: float) -> Sound:
    """Without what lies above a frequency."""
    spectrum = np.fft.rfft(sound)
    spectrum[int(hertz * len(sound) / RATE) :] = 0
    return np.fft.irfft(spectrum, len(sound))


def make(part: str, each: int) -> Clips:
    """each clips of every class; one thread a core, as the time goes into espeak-ng's processes."""
    total = each * len(LABELS)
    x = np.zeros((total, FRAMES, BANDS), np.uint8)
    y, span = np.zeros(total, np.uint8), np.zeros((total, 2), np.uint8)

    def fill(i: int) -> None:
        sound, y[i], span[i] = draw(part, i)
        x[i] = SoundFrames().push(sound)[-FRAMES:]

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for i, _ in enumerate(pool.map(fill, range(total)), 1):
            if i % 700 == 0:
                print(f"making synthetic keywords: {part} {i:,} of {total:,}", file=sys.stderr, flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
    return Clips(x, y, span)


def file() -> Path:
    """EDGETERNARY_KEYPAD, or the file in the user's cache."""
    named = os.environ.get("EDGETERNARY_KEYPAD")
    return Path(named) if named else cache.directory() / "data" / f"synthetic-keypad-{FORMAT}.npz"


def load(part: str, count: int | None = None) -> Clips:
    """The first `count` clips of a part, or all. The set is made on the first use, in ten minutes."""
    path = file()
    if not path.exists():
        write(path)
    try:
        with np.load(path, allow_pickle=False) as content:
            return Clips(*(content[f"{name}_{part}"][:count] for name in ("x", "y", "span")))
    except (OSError, ValueError, KeyError) as error:
        remedy = "delete it; it will be made again"
        raise EdgeTernaryError(f"{path} is not a set of keypad clips", str(error), remedy) from error


def write(path: Path, each: dict[str, int] = EACH) -> None:
    """Makes all parts and writes them, completely or not at all."""
    arrays = {
        f"{name}_{part}": array
        for part, count in each.items()
        for name, array in vars(make(part, count)).items()
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())


def write_wav(path: Path, count: int) -> None:
    """The first clips of the test part as one sound at 16 kHz; prints when each word ends."""
    sounds = []
    for index in range(count):
        sound, label, span = draw("test", index)
        begin = sum(map(len, sounds)) / RATE
        sounds.append(sound[RATE if sounds else 0 :])
        lead = 0 if index else 1
        print(f"{begin + lead + span[1] * HOP / RATE:7.2f} s  {LABELS[label]}")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.concatenate(sounds).astype("<i2").tobytes())
    write_whole(path, buffer.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wav", type=Path, help="write clips of the test voices as a sound instead")
    parser.add_argument("--clips", type=int, default=14, help="number of clips")
    args = parser.parse_args()
    if args.wav:
        write_wav(args.wav, args.clips)
        return
    for name in EACH:
        print(f"{name}: {len(load(name).y):,} clips")


if __name__ == "__main__":
    script(main)
