"""Layers that join or reshape: Residual and Flatten."""

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.activations import Activation
from edgeternary.nn.norm import Requantize


class Flatten(nn.Module):
    """(N, C, H, W) -> (N, C*H*W) in torch's order; lowering makes it channels-last."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def last_quantizer(module: nn.Module) -> Activation | Requantize | None:
    """The Activation or Requantize that `module` ends in, if it does."""
    while isinstance(module, nn.Sequential) and len(module):
        module = module[-1]
    return module if isinstance(module, (Activation, Requantize)) else None


class Residual(nn.Module):
    """body(x) + shortcut(x), a sum of codes that count in one shared step size, which this layer owns.

    Both branches end in an Activation or Requantize of kind intN, uintN, ternary or binary, or both in
    bipolar; without `shortcut` x itself is added, so x must be codes. The sum is an integer: put BatchNorm
    and Activation after it.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        ends = [last_quantizer(branch) for branch in (body, *([] if shortcut is None else [shortcut]))]
        if any(end is None for end in ends):
            raise EdgeTernaryError(
                "a branch of a Residual does not end in an Activation",
                "accumulators of different layers have different scales and cannot be added as integers",
                "end both branches with an Activation of the same kind",
            )
        scaled = [end for end in ends if end is not None and end.levels.gap == 1]
        if scaled and len(scaled) != len(ends):
            raise EdgeTernaryError(
                "the branches of a Residual count in different steps",
                "one ends in bipolar codes, whose step is 2, the other in codes with a step of 1",
                "end both branches with an Activation of the same kind",
            )
        if scaled:
            mean = torch.stack([end.scale.detach() for end in scaled]).mean()
            self.scale = nn.Parameter(mean, requires_grad=all(end.learns_scale for end in scaled))
            for end in scaled:
                end.scale = self.scale

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)
