"""The network: depthwise-separable convolutions over time, a sum over the last frames, ternary weights."""

from __future__ import annotations

from collections import OrderedDict

import torch

from edgeternary import nn

BANDS = 10


def make_net(
    channels: int = 64,
    classes: int = 14,
    first: int = 5,
    kernels: tuple[int, ...] = (9, 9, 9, 9),
    pool: int = 16,
    activations: int | str = 4,
) -> nn.Streaming:
    """Windows (N, 10, frames) -> logits (N, classes); see `Streaming.window` for the frames of a window."""
    layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
    layers["conv"] = nn.Conv1d(BANDS, channels, first)
    layers["norm"], layers["act"] = nn.BatchNorm(channels), nn.Activation(activations)
    for i, kernel in enumerate(kernels, 1):
        layers[f"block{i}"] = nn.TemporalBlock(channels, channels, kernel, activations=activations)
    layers["average"] = nn.GlobalAvgPool(nn.Activation(4))
    layers["flatten"] = nn.Flatten()
    layers["output"] = nn.Output(channels, classes)
    return nn.Streaming(torch.nn.Sequential(layers), first + sum(kernels) - len(kernels) + pool - 1)
