"""Activation: the quantiser between layers. Codes of at most 4 bits come out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import elementwise
from edgeternary.nn.quantizers import levels
from edgeternary.nn.surrogates import SURROGATES, straight_through


def positive(scale: Tensor) -> Tensor:
    """A learnt scale as a positive number, wherever gradient steps took it."""
    return scale.abs().clamp_min(1e-6)


def scaled_gradient(p: Tensor, factor: float) -> Tensor:
    """p, with its gradient multiplied by `factor` (LSQ: 1 / sqrt(elements * highest code))."""
    return p.detach() + (p - p.detach()) * factor


class Activation(nn.Module):
    """Quantises to integer codes: "bipolar", "binary", "ternary", "intN", "uintN" or N for uintN, N <= 4.

    bipolar: sign(x) with sign(0) = +1; in backward the slope of `surrogate` (a name in SURROGATES) at
    x / scale, so `scale` (1 by default) is the half-width of its window. The others:
    clamp(floor(x / scale + 0.5)) with one learnt step size that starts at `scale` (LSQ, Esser et al., 2020).
    The output is the codes; the next layer's batch-norm absorbs the scale.
    """

    def __init__(
        self, kind: str | int = 2, scale: float | None = None, surrogate: str = "approx_sign"
    ) -> None:
        super().__init__()
        self.levels = levels(kind)
        if self.levels.hi - self.levels.lo > 15:
            raise EdgeTernaryError(
                f"Activation({kind!r}) has more than 4 bits",
                "thresholds would need more than 15 comparisons per element",
                f"use Requantize(channels, {kind!r}) in place of the batch-norm and this activation",
            )
        if surrogate not in SURROGATES:
            raise EdgeTernaryError(
                f"no surrogate is called {surrogate!r}",
                f"known are: {', '.join(SURROGATES)}",
                "choose one of these",
            )
        self.surrogate = surrogate
        self.width = scale or 1.0
        if self.levels.gap == 1:
            self.scale = nn.Parameter(torch.tensor(scale or 2.0 / (self.levels.hi + 1)))

    def forward(self, x: Tensor) -> Tensor:
        lo, hi = self.levels.lo, self.levels.hi
        if self.levels.gap == 2:
            if not self.training:
                return elementwise.sign(x)
            codes = torch.where(x >= 0, 1.0, -1.0)
            return straight_through(codes, x / self.width, SURROGATES[self.surrogate])
        if not self.training:
            return elementwise.quantize(x, positive(self.scale), lo, hi)
        y = x / scaled_gradient(positive(self.scale), (x.numel() * max(hi, 1)) ** -0.5)
        return straight_through(torch.clamp(torch.floor(y + 0.5), lo, hi), torch.clamp(y, lo, hi))

    def extra_repr(self) -> str:
        return self.levels.name
