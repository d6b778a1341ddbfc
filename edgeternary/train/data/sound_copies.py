"""Changed copies of clips for the training: moved, faster or slower, with noise."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

Clip = NDArray[np.int16]
Share = Annotated[float, Meta(ge=0, le=0.5)]


class Copies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is drawn for each copy of a clip.

    count  copies of each clip beside itself
    shift  s by which it moves either way, at most; zeros follow
    speed  share by which it is faster or slower, at most; its pitch changes with it
    noise  the highest peak of what is added, as a share of the clip's peak
    seed   of the draws
    """

    count: Annotated[int, Meta(ge=0, le=100)] = 0
    shift: Annotated[float, Meta(ge=0, le=10)] = 0.1
    speed: Share = 0.1
    noise: Share = 0.1
    seed: int = 0

    def of(self, clips: NDArray[np.int16], noises: NDArray[np.int16], rate: int) -> NDArray[np.int16]:
        """(count * n, samples): all clips once, then all again, from clips (n, samples) at `rate`.

        noises  clips (m, samples) that are added; white noise where m is 0
        """
        rng = np.random.default_rng(self.seed)
        most = min(round(self.shift * rate), clips.shape[1] - 1)
        add = _recorded(noises) if len(noises) else _white
        made = [self._copy(clip, rng, most, add) for _ in range(self.count) for clip in clips]
        return np.stack(made) if made else clips[:0]

    def _copy(self, clip: Clip, rng: np.random.Generator, most: int, add: "Noise") -> Clip:
        factor = 1 + rng.uniform(-self.speed, self.speed)
        at = np.arange(len(clip))
        moved = at - rng.integers(-most, most + 1)
        sound = np.interp(moved * factor, at, clip.astype(np.float64), left=0, right=0)
        noise = add(rng, len(clip))
        level = rng.uniform(0, self.noise) * max(np.abs(sound).max(), 1) / max(np.abs(noise).max(), 1e-9)
        return np.clip(np.rint(sound + level * noise), -32768, 32767).astype(np.int16)


Noise = Callable[[np.random.Generator, int], NDArray[Any]]


def _white(rng: np.random.Generator, size: int) -> NDArray[Any]:
    return rng.normal(size=size)


def _recorded(noises: NDArray[np.int16]) -> Noise:
    """One of the clips, from a drawn sample on, and around its end."""

    def add(rng: np.random.Generator, size: int) -> NDArray[Any]:
        return np.roll(noises[rng.integers(len(noises))].astype(np.float64), rng.integers(size))

    return add
