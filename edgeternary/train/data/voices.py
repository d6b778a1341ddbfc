"""espeak-ng speaks single words. Each speaker (a voice variant) belongs to one part of a data set only."""

import io
import re
import shutil
import subprocess
import wave
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.toolchains import Child

RATE = 16000  # Hz, the sampling rate of the front end
SPOKEN = 22050  # Hz, the sampling rate of espeak-ng's voices; RATE is 320/441 of it
ACCENTS = "en-us en-gb en-gb-scotland en-gb-x-rp en-gb-x-gbclan en-gb-x-gbcwmd en-029 en-us-nyc".split()
# Variants of one speaker (steph, steph2) stay together. Variants with breath are left out: espeak-ng seeds
# their noise with the clock, so a second run gives another sound. caleb is left out since it is klatt.
SPEAKERS = {
    "train": (
        "m1 m2 m3 m6 m7 f1 Alex Andrea Andy Annie antonio benjamin boris ed edward edward2 Gene Gene2 "
        "grandma grandpa Henrique Hugo ian iven iven2 iven3 john kaukovalta klatt klatt2 klatt3 klatt4 "
        "Lee Marco Mario max michel miguel mike2 norbert pablo pedro quincy RicishayMax RicishayMax2 "
        "rob robert steph steph2 steph3 travis zac anika anikaRobot robosoft robosoft4"
    ).split(),
    "validation": ("m4 linda adam belinda Denis Diogo Jacky paul").split(),
    "test": (
        "m5 m8 f4 aunty david gustave Michael Nguyen Reed shelby Storm marcelo announcer UniRobot"
    ).split(),
}
REMEDY = "apt install espeak-ng"

Sound = NDArray[np.float64]


@cache
def espeak() -> str:
    """The path of espeak-ng. It must have all SPEAKERS: for an unknown variant it uses its own voice."""
    path = shutil.which("espeak-ng")
    if path is None:
        raise EdgeTernaryError(
            "espeak-ng is missing", "it speaks the synthetic keywords", REMEDY, TOOL_MISSING
        )
    listed = _run([path, "--voices=variant"]).decode(errors="replace")
    known = set(re.findall(r"!v/(\S+)", listed))
    missing = [name for part in SPEAKERS.values() for name in part if name not in known]
    if missing:
        raise EdgeTernaryError(
            f"espeak-ng has no voice variant {missing[0]}",
            "it is older than 1.52 or incomplete",
            REMEDY,
            TOOL_MISSING,
        )
    return path


def version() -> str:
    """The version of espeak-ng, such as "1.52.0"."""
    words = _run([espeak(), "--version"]).decode(errors="replace").split()
    return next((word for word in words if word[0].isdigit()), "of unknown version")


def speak(word: str, speaker: str, accent: str, rate: int, pitch: int) -> Sound:
    """The word at 16 kHz with a peak of 1, without silence around it. rate: words a minute; pitch: 0..99."""
    voice = f"{accent}+{speaker}"
    spoken = _run([espeak(), "--stdout", "-v", voice, "-s", str(rate), "-p", str(pitch), word])
    try:
        with wave.open(io.BytesIO(spoken)) as file:
            rate_of, frames = file.getframerate(), file.readframes(len(spoken))
    except (wave.Error, EOFError) as error:
        raise EdgeTernaryError(f"espeak-ng gave no sound for {word!r}", str(error), REMEDY) from error
    sound = np.frombuffer(frames[: len(frames) // 2 * 2], "<i2").astype(np.float64)
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max(initial=1))
    if rate_of != SPOKEN or not loud.size:
        raise EdgeTernaryError(
            f"espeak-ng's {voice} spoke {word!r} wrongly", f"{rate_of} Hz, {loud.size} samples"
        )
    sound = resample(sound[loud[0] : loud[-1] + 1])
    return sound / np.abs(sound).max()


def resample(sound: Sound) -> Sound:
    """Resamples from 22,050 Hz to 16 kHz: cuts the spectrum at 8 kHz, pads to a multiple of 20 ms."""
    blocks = -(-len(sound) // 441)
    spectrum = np.fft.rfft(sound, blocks * 441)
    return np.fft.irfft(spectrum[: blocks * 160 + 1], blocks * 320) * (320 / 441)


def _run(command: list[str]) -> bytes:
    try:
        with Child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            sound, said = process.communicate(timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise EdgeTernaryError(f"{command[0]} failed", str(error), REMEDY) from error
    if process.returncode != 0:
        raise EdgeTernaryError(f"{command[0]} failed", said.decode(errors="replace")[-600:], REMEDY)
    return bytes(sound)
