"""Weight quantisers with a learnt step size: LSQ, and ternary with a learnt threshold (half a step)."""

import torch
from torch import Tensor, nn

from edgeternary.nn.latent import masked, stepped_codes
from edgeternary.nn.surrogates import Slope
from edgeternary.nn.weight_rules import TINY, WeightQuantizer, channel_mean, tensor_mean


class LearnedStep(WeightQuantizer, nn.Module):
    """codes = clamp(round(w / step), -top, top), step = |ratio| * mean|w|; ties to even.

    ratio, () or (outputs,), is the parameter: the step in units of the mean magnitude of the layer's (or the
    output channel's) latent weights, so one learning rate suits every layer and the step follows when all
    weights grow. It starts at LSQ's 2 / sqrt(top) (Esser et al., 2020), for ternary codes at 1.4, which is
    TWN's threshold of 0.7 mean|w|. clip: latent weights beyond top steps get no gradient, as in LSQ.
    """

    def __init__(self, name: str, top: int, clip: bool, outputs: int | None = None) -> None:
        super().__init__()
        self.name, self.top, self.clip = name, top, clip
        start = 2 * top**-0.5 if clip else 1.4
        self.ratio = nn.Parameter(torch.full(() if outputs is None else (outputs,), start))

    def unit(self, w: Tensor) -> Tensor:
        """mean|w| in float64, () or (out, 1, ...), without gradient."""
        w = w.detach()
        return channel_mean(w).clamp_min(TINY) if self.ratio.dim() else tensor_mean(w)

    def step(self, w: Tensor) -> Tensor:
        """The step size in float64, () or (out, 1, ...)."""
        unit = self.unit(w)
        return self.ratio.double().abs().clamp_min(1e-6).reshape(unit.shape) * unit

    def codes(self, w: Tensor) -> Tensor:
        return self.rounded(w, self.step(w))

    def rounded(self, w: Tensor, step: Tensor) -> Tensor:
        """clamp(round(w / step), -top, top), computed in float64."""
        return w.to(torch.float64, copy=True).div_(step).round_().clamp_(-self.top, self.top).float()

    def limit(self, w: Tensor) -> Tensor | None:
        return (self.step(w).detach() / 2).float()

    def train_codes(self, w: Tensor, keep: Tensor | None = None, slope: Slope | None = None) -> Tensor:
        step = self.step(w)
        codes = masked(self.rounded(w.detach(), step.detach()), keep)
        return stepped_codes(w, step.float(), codes, keep, self.top, self.clip, slope)

    @torch.no_grad()
    def settle(self, w: Tensor) -> None:
        self.ratio.copy_((1 / (self.top * self.unit(w))).reshape(self.ratio.shape))
