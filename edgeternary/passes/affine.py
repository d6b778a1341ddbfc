"""Numbers that a back end carries as an integer raw, from which they follow as gain * raw + offset[c].

A popcount counts bits, a serial matrix counts ones, a plain sum leaves its bias for later: none of them need
compute the number itself where a threshold reads it, since the thresholds can be stated for raw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir.types import INT32_HI


@dataclass(frozen=True)
class Affine:
    """x[c] = gain * raw + offset[c], with raw in [lo, hi] and a gain that is not 0."""

    gain: int
    offset: NDArray[np.int64]
    lo: int
    hi: int

    def fits(self) -> bool:
        """Whether raw, one beyond it, and gain * raw all stay inside int32."""
        reach = max(abs(self.lo), abs(self.hi) + 1) * abs(self.gain) + int(np.abs(self.offset).max(initial=0))
        return reach <= INT32_HI

    def limits(self, t: NDArray[np.int64]) -> NDArray[np.int64]:
        """Thresholds (C, k) of x as thresholds of raw: x >= t where raw >= limit.

        That is raw >= ceil((t - offset) / gain). With a negative gain x >= t where raw < limit, which is
        floor((offset - t) / -gain) + 1. A limit that raw always or never reaches is clipped to lo or hi + 1.
        """
        distance = t - self.offset[:, None]
        limit = -(-distance // self.gain) if self.gain > 0 else -distance // -self.gain + 1
        return np.clip(limit, self.lo, self.hi + 1)
