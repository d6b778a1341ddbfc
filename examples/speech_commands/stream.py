"""A keyword network over time, which runs frame by frame, and its teacher."""

from __future__ import annotations

from collections import OrderedDict

import torch
from official import Official
from torch import Tensor, nn

from edgeternary import nn as q

BANDS, FRAMES = 40, 49
DB = 96 / 256  # of a code
LOUDEST = 15.7  # mean over clips of the largest first coefficient that the official front end gives


class Teacher(nn.Module):
    """Codes (N, 40, 49) of log-mel bands -> logits (N, 12) of MLPerf Tiny's float model.

    That model reads the cosine transform of bands whose levels are relative to the clip's peak. A level moves
    the first coefficient alone; here its maximum over the clip is moved to that of the average clip.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = Official(1.0, 0)
        band = torch.arange(BANDS) * 2 + 1
        order = torch.arange(10)[:, None]
        nepers = DB / 20 * torch.log(torch.tensor(10.0))
        self.cosines = (2 / BANDS) ** 0.5 * torch.cos(torch.pi * order * band / (2 * BANDS)) * nepers

    def forward(self, x: Tensor) -> Tensor:
        found = (self.cosines @ x.float()).transpose(1, 2)  # (N, 49, 10)
        level = found[:, :, 0].amax(1)
        found[:, :, 0] += (LOUDEST - level)[:, None]
        logits: Tensor = self.model(found[:, None])
        return logits


def teacher() -> nn.Module:
    """The model that teaches."""
    return Teacher()


def spotter(
    channels: int = 96, first: int = 5, kernels: tuple[int, ...] = (9, 9, 9, 9), activations: int = 4
) -> nn.Module:
    """Windows (N, 40, 49) of codes -> logits (N, 12), by convolutions over time and an average at the end."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv"] = q.Conv1d(BANDS, channels, first)
    layers["norm"], layers["act"] = q.BatchNorm(channels), q.Activation(activations)
    for i, kernel in enumerate(kernels, 1):
        layers[f"block{i}"] = q.TemporalBlock(channels, channels, kernel, activations=activations)
    layers["average"] = q.GlobalAvgPool(q.Activation(4))
    layers["flatten"] = q.Flatten()
    layers["output"] = q.Output(channels, 12)
    return nn.Sequential(layers)
