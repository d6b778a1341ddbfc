"""Batch-norm whose eval mode is a function of its input alone, and its integer form for wide activations."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import elementwise
from edgeternary.nn.activations import StepSize
from edgeternary.nn.fake_quantize import fake_quantize
from edgeternary.nn.levels import levels
from edgeternary.passes.fixed_point import power_of_two


class BatchNorm(nn.Module):
    """Batch-norm over axis 1 of (N, C), (N, C, L) or (N, C, H, W).

    Train mode is torch's. Eval mode computes ((x - mean) / sqrt(var + eps)) * gamma + beta in float64, in
    this order, and returns float64: the same bits on every machine and for every batch size.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.use_running = False  # normalise by the running statistics in train mode too
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def train_forward(self, x: Tensor) -> Tensor:
        mean, var = self.running_mean, self.running_var
        batch_statistics = not self.use_running
        return F.batch_norm(x, mean, var, self.weight, self.bias, batch_statistics, self.momentum, self.eps)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.train_forward(x)
        mean, var = self.running_mean, self.running_var
        return elementwise.batch_norm(x, mean, var, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return str(self.weight.shape[0])


def rounding_ratio(gain: Tensor) -> Tensor:
    """power_of_two(gain) / gain of passes/fixed_point.py in float32; 1 where gain is 0."""
    rounded = torch.from_numpy(power_of_two(gain.double().cpu().numpy())).to(gain)
    return torch.where(gain == 0, 1.0, rounded / gain)


BOUND = 1 << 18  # leaves a multiplier 13 bits


class Requantize(StepSize, BatchNorm):
    """Batch-norm and an activation of 5 to 16 bits in one layer: accumulators in, codes out.

    Eval mode is integer arithmetic, clamp((x*m + b) >> s) rounding half up, with m, b, s derived once from
    the batch-norm and `scale` by passes/fixed_point.py. `bound`: |x| that inside-int32 is proven for;
    lowering checks that the accumulators really stay within it, edgeternary.fit_bounds raises it.
    `surrogate` and `learn_scale` as in Activation. `power_of_two`: the gain gamma / (deviation * scale) of
    each channel is the nearest power of two <= 1 by ratio, in train and eval mode, so that it is a shift
    (form A: no multiplier).
    """

    def __init__(
        self,
        channels: int,
        kind: str | int = 8,
        scale: float | None = None,
        bound: int = BOUND,
        surrogate: str | None = None,
        learn_scale: bool = True,
        power_of_two: bool = False,
    ) -> None:
        super().__init__(channels)
        self.levels, self.power_of_two = levels(kind), power_of_two
        if self.levels.gap != 1 or self.levels.hi - self.levels.lo < 31:
            raise EdgeTernaryError(
                f"Requantize({channels}, {kind!r}) has fewer than 5 bits",
                "up to 4 bits an activation becomes thresholds, which need no multiplication",
                f"use BatchNorm({channels}) and Activation({kind!r})",
            )
        self.bound = bound
        self.unit = 4.0 / self.levels.hi
        self.start(scale or self.unit, learn_scale, surrogate)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self.bound != BOUND:
            destination[prefix + "bound"] = torch.tensor(self.bound)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        self.bound = int(state_dict.pop(prefix + "bound", self.bound))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def multipliers(self) -> Tensor:
        """(3, C) int64: m, b and s."""
        mean, var = self.running_mean, self.running_var
        scale = self.step_size()
        norm = mean, var, self.weight, self.bias, self.eps
        return elementwise.multipliers(*norm, scale, self.bound, self.power_of_two)

    def train_forward(self, x: Tensor) -> Tensor:
        if not self.power_of_two:
            return super().train_forward(x)
        mean, var = self.running_mean, self.running_var
        batch_statistics = not self.use_running
        deviation = (
            x.detach().float().var([0, *range(2, x.dim())], unbiased=False) if batch_statistics else var
        )
        gain = self.weight.detach() / (torch.sqrt(deviation + self.eps) * self.step_size().detach())
        gamma = self.weight * rounding_ratio(gain)
        return F.batch_norm(x, mean, var, gamma, self.bias, batch_statistics, self.momentum, self.eps)

    def forward(self, x: Tensor) -> Tensor:
        lo, hi = self.levels.lo, self.levels.hi
        if not self.training:
            return elementwise.requantize(x, self.multipliers(), lo, hi)
        return fake_quantize(self.train_forward(x), self.step_size(), lo, hi, self.staircase_slope())

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, {self.levels.name}"
