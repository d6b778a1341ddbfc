"""A requantize layer's integers outside of any layer: what eval mode computes with and lowering stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeternary.passes.fixed_point import fixed_point

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rescale:
    """y = clamp((x * m + b + half) >> s, lo, hi) per channel, half up: m, b, s (C,)."""

    m: Ints
    b: Ints
    s: Ints
    lo: int
    hi: int

    @staticmethod
    def of(
        gain: NDArray[np.float64] | float,
        offset: NDArray[np.float64] | float,
        channels: int,
        bound: int,
        lo: int,
        hi: int,
    ) -> Rescale:
        """The one nearest to clamp(round(gain * x + offset), lo, hi) for |x| <= bound; forms A and B."""
        wide = np.zeros(channels)
        return Rescale(*fixed_point(wide + gain, wide + offset, bound), lo, hi)

    @staticmethod
    def shift(s: int, channels: int, lo: int, hi: int) -> Rescale:
        """x / 2^s, rounded half up: form A."""
        ones = np.ones(channels, np.int64)
        return Rescale(ones, 0 * ones, s * ones, lo, hi)

    def __call__(self, x: Tensor) -> Tensor:
        """x (..., C) int64 -> codes as int64."""
        half = np.where(self.s > 0, np.int64(1) << np.maximum(self.s - 1, 0), 0)
        m, b, s = (torch.from_numpy(a) for a in (self.m, self.b + half, self.s))
        return torch.clamp((x * m + b) >> s, self.lo, self.hi)
