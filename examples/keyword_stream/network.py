"""The network: depthwise-separable convolutions over time, a sum over the last frames, ternary weights."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch

import edgeternary
from edgeternary import nn
from edgeternary.ir import Graph

BANDS, CLASSES = 10, 14
LATE = 6  # frames from the end of a word to the end of its test window


def make_model(
    channels: int = 64,
    first: int = 5,
    kernels: tuple[int, ...] = (9, 9, 9, 9),
    pool: int = 16,
    activations: int | str = 4,
) -> nn.Streaming:
    """Windows (N, 10, 52) -> logits (N, 14); a window is first + sum(kernel - 1) + pool - 1 frames."""
    layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
    layers["conv"] = nn.Conv1d(BANDS, channels, first)
    layers["norm"], layers["act"] = nn.BatchNorm(channels), nn.Activation(activations)
    for i, kernel in enumerate(kernels, 1):
        layers[f"block{i}"] = nn.TemporalBlock(channels, channels, kernel, activations=activations)
    layers["average"] = nn.GlobalAvgPool(nn.Activation(4))
    layers["flatten"] = nn.Flatten()
    layers["output"] = nn.Output(channels, CLASSES)
    return nn.Streaming(torch.nn.Sequential(layers), first + sum(kernels) - len(kernels) + pool - 1)


def trained(file: Path) -> nn.Streaming:
    """The model whose codes train.py wrote; its channels are the file's."""
    from safetensors.torch import load_file

    from edgeternary.errors import EdgeTernaryError

    try:
        channels = len(load_file(file)["net.conv.weight"])
    except (OSError, KeyError, ValueError) as error:
        raise EdgeTernaryError(
            f"{file} holds no trained spotter", str(error), "make one with: python train.py"
        ) from error
    model = make_model(channels)
    nn.checkpoint.load_codes(model, file)
    return model


def unrolled(file: Path) -> Graph:
    """The network over a whole window, (1, 52, 10) -> (14,), which repeats all sums at each frame."""
    model = trained(file)
    return edgeternary.lower(model.net, torch.zeros(1, BANDS, model.window), name="keyword-window")
