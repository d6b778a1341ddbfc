"""Straight-through Gumbel-softmax: discrete choices that are learnt by gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.surrogates import straight_through


def gumbel_noise(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """-log(-log(u)), u uniform in (0, 1): the noise that makes argmax a sample of softmax. Shape of
    `like`.
    """
    u = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
    tiny = torch.finfo(like.dtype).tiny
    return -(-u.clamp_min(tiny).log()).clamp_min(tiny).log()


def gumbel_softmax(logits: Tensor, temperature: float = 1.0, noise: Tensor | None = None) -> Tensor:
    """One-hot (..., n) of argmax(logits + noise) over the last axis, exactly 0 and 1; ties go to the lowest
    index.

    Backward: the gradient of softmax((logits + noise) / temperature) (Jang et al., 2017, arXiv:1611.01144;
    Maddison et al., 2017, arXiv:1611.00712). noise: gumbel_noise(logits) by default; zeros take the likeliest
    choice.
    """
    y = logits + (gumbel_noise(logits) if noise is None else noise)
    soft = torch.softmax(y / temperature, -1)
    hard = torch.zeros_like(soft).scatter_(-1, y.argmax(-1, keepdim=True), 1.0)
    return straight_through(hard, soft)


class Choice(nn.Module):
    """One of several layers that all give codes of the same shape; which one is learnt.

    Train mode draws one a batch by gumbel_softmax (every option is computed, so that the logits get
    gradients); eval() fixes the likeliest, and only that one is computed and lowered. The temperature falls
    from `temperature` to a tenth of it over the progress that edgeternary.nn.set_progress tells.
    """

    def __init__(self, options: Sequence[nn.Module], temperature: float = 1.0) -> None:
        super().__init__()
        if not options:
            raise EdgeTernaryError(
                "Choice has no options", "it must choose one", "give it at least one layer"
            )
        self.options = nn.ModuleList(options)
        self.logits = nn.Parameter(torch.zeros(len(options)))
        self.start, self.progress, self.chosen = temperature, 0.0, 0

    def temperature(self) -> float:
        return self.start * 10.0**-self.progress

    def set_progress(self, progress: float) -> None:
        """Share of the training that is done, 0..1."""
        self.progress = min(max(float(progress), 0.0), 1.0)

    def train(self, mode: bool = True) -> Choice:
        if not mode:
            self.chosen = int(self.logits.argmax())
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.options[self.chosen](x)
        weights = gumbel_softmax(self.logits, self.temperature())
        total = weights[0] * self.options[0](x)
        for weight, option in zip(weights[1:], self.options[1:]):
            total = total + weight * option(x)
        return total

    def extra_repr(self) -> str:
        return f"chosen={self.chosen}"
