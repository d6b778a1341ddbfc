"""Weight quantisers: what one is, and those without parameters. Latent floats (out, ...) to integer codes.

Codes leave a layer bare. The scale that a code stands for (mean |w|, a step size) is absorbed by the
batch-norm that follows, or by the one scale of the logits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgeternary.nn.latent import masked, straight_codes
from edgeternary.nn.surrogates import Slope

Rule = Callable[[Tensor], Tensor]
TINY = 1e-12


class WeightQuantizer:
    """Latent weights (out, ...) to float codes -top..top of the integer-graph type `name`."""

    name: str
    top: int

    def codes(self, w: Tensor) -> Tensor:
        """Integer codes in float32 by elementary operations in a fixed order, the same in train and eval."""
        raise NotImplementedError

    def limit(self, w: Tensor) -> Tensor | None:
        """|w| up to which a code is 0, broadcastable against w and without gradient; None: no code is 0."""
        raise NotImplementedError

    def train_codes(self, w: Tensor, keep: Tensor | None = None, slope: Slope | None = None) -> Tensor:
        """codes(w), 0 outside the mask `keep`; backward their gradient times slope(w), mask or not."""
        return straight_codes(w, masked(self.codes(w.detach()), keep), slope)

    def settle(self, w: Tensor) -> None:
        """Makes codes(w) == w * top, for w that are codes / top: a frozen layer."""


@dataclass(frozen=True)
class Fixed(WeightQuantizer):
    """A quantiser that is a function of the weights alone and maps codes / top to codes."""

    name: str
    top: int
    rule: Rule
    zero: Callable[[Tensor], Tensor | None]

    def codes(self, w: Tensor) -> Tensor:
        return self.rule(w)

    def limit(self, w: Tensor) -> Tensor | None:
        return self.zero(w.detach())


def per_channel(w: Tensor, value: Tensor) -> Tensor:
    """(out,) so that it broadcasts against w (out, ...)."""
    return value.reshape(-1, *([1] * (w.dim() - 1)))


def channel_mean(w: Tensor) -> Tensor:
    """mean |w| of each output channel in float64, (out, 1, ...); its bits do not depend on memory format."""
    return per_channel(w, w.abs().flatten(1).mean(1, dtype=torch.float64))


def float32_below(x: Tensor) -> Tensor:
    """The largest float32 <= x (float64): for a float32 y, y > x exactly where y > float32_below(x)."""
    y = x.float()
    return torch.where(y.double() > x, torch.nextafter(y, torch.full_like(y, -torch.inf)), y)


def relative_magnitudes(w: Tensor) -> Tensor:
    """|w| / mean|w| of the output channel, flat and without gradient."""
    w = w.detach()
    return (w.abs() / channel_mean(w).clamp_min(TINY).float()).flatten()


def keep_mask(w: Tensor, zero_share: float, training: bool = False) -> Tensor | None:
    """0 for the ceil(zero_share * weights) smallest |w| / mean|w| of the output channel and ties, else 1.

    None without a share. Magnitudes are relative, as each channel has a scale of its own. training: numpy
    selects the limit, eight times as fast as torch; torch.export cannot see that.
    """
    if zero_share <= 0:
        return None
    magnitude = relative_magnitudes(w)
    zeros = max(1, math.ceil(zero_share * magnitude.numel() - 1e-6))
    if training and magnitude.device.type == "cpu":
        limit = float(np.partition(magnitude.numpy(), zeros - 1)[zeros - 1])
        return (magnitude - limit).clamp_min_(0).sign_().reshape(w.shape)
    largest = magnitude.topk(min(magnitude.numel() - zeros + 1, magnitude.numel()), sorted=False).values
    return (magnitude - largest.amin()).clamp_min_(0).sign_().reshape(w.shape)


def binary(w: Tensor) -> Tensor:
    """+1 where w >= 0, else -1."""
    return w.sign().add_(0.5).sign_()


def twn_limit(w: Tensor) -> Tensor:
    """0.7 mean|w| of the output channel (TWN, Li et al., 2016, eq. 6)."""
    return float32_below(0.7 * channel_mean(w))


def beyond(w: Tensor, limit: Tensor) -> Tensor:
    """sign(w) where |w| > limit, else 0."""
    return (w - torch.minimum(torch.maximum(w, -limit), limit)).sign_()


def ternary_twn(w: Tensor) -> Tensor:
    """sign(w) where |w| > 0.7 mean|w| of its output channel, else 0 (TWN, Li et al., 2016)."""
    return beyond(w, twn_limit(w))


def tensor_mean(w: Tensor) -> Tensor:
    """mean |w| of the layer in float64, ()."""
    return w.abs().flatten().mean(dtype=torch.float64).clamp_min(TINY)


def ternary_absmean(w: Tensor) -> Tensor:
    """clamp(round(w / mean|w|), -1, 1), one mean for the whole tensor (BitNet b1.58, Ma et al., 2024)."""
    return w.to(torch.float64, copy=True).div_(tensor_mean(w)).round_().clamp_(-1, 1).float()


def channel_peak(w: Tensor) -> Tensor:
    """max |w| of each output channel in float64, (out, 1, ...)."""
    return per_channel(w, w.abs().flatten(1).amax(1).double().clamp_min(TINY))


def symmetric(top: int) -> Rule:
    """round(w / max|w| * top) with one maximum per output channel; ties to even."""

    def quantize(w: Tensor) -> Tensor:
        return w.to(torch.float64, copy=True).div_(channel_peak(w)).mul_(top).round_().float()

    return quantize


def power_of_two(bits: int) -> Rule:
    """0 and +-2^0 .. +-2^(2^(bits-1) - 2): the nearest to w / max|w| * (largest code), per output channel.

    Powers of two as weights: INQ (Zhou et al., 2017). A tie between two codes goes to the smaller.
    """
    values = [0.0, *(2.0**e for e in range((1 << (bits - 1)) - 1))]
    borders = [0.5, *(1.5 * v for v in values[1:-1])]

    def quantize(w: Tensor) -> Tensor:
        y = w.double().abs().div_(channel_peak(w)).mul_(values[-1])
        codes = torch.zeros_like(w)
        for border, low, high in zip(borders, values, values[1:], strict=False):
            codes += (y > border) * (high - low)
        return codes * w.sign()

    return quantize


def half_step(top: int) -> Rule:
    """The limit of `symmetric` and `power_of_two`: half of max|w| / top."""
    return lambda w: (channel_peak(w) / (2 * top)).float()
