"""Random models whose parameters make accumulators hit thresholds exactly."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from edgeternary import nn as q
from edgeternary.nn.linear import Quantized


def adversarial(model: nn.Module, example: torch.Tensor, seed: int = 0) -> nn.Module:
    """Integer means, biases on ties, negative and zero gammas; returns the model in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    q_layers = [m for m in model.modules() if isinstance(m, Quantized)]
    for layer in q_layers:
        with torch.no_grad():
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
    model.train()
    for module in model.modules():
        if isinstance(module, q.BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        model(example)
        for module in model.modules():
            if not isinstance(module, q.BatchNorm):
                continue
            channels = module.weight.shape[0]
            module.running_mean.round_()
            gamma = 0.5 + torch.rand(channels, generator=generator)
            sign = torch.tensor([1.0, 1.0, -1.0, 0.0])[torch.arange(channels) % 4]
            module.weight.copy_(gamma * sign)
            # with x = mean the output is the bias: a tie of the sign (0) or of a quantiser (0.25 / 2)
            module.bias.copy_(torch.tensor([0.0, 0.125, -0.125, 0.375])[torch.arange(channels) * 7 % 4])
        for module in model.modules():
            if isinstance(module, q.Activation) and module.levels.gap == 1:
                module.scale.fill_(0.25)
            if isinstance(module, q.RSign):
                module.shift.copy_(torch.tensor([0.0, 0.125, -0.25])[torch.arange(len(module.shift)) % 3])
            if isinstance(module, q.RPReLU):
                channels = torch.arange(len(module.weight))
                module.weight.copy_(torch.tensor([0.25, -0.5, 0.0, 1.5, 1 / 3])[channels % 5])
                module.before.copy_(torch.tensor([0.0, 0.125, -0.125])[channels % 3])
                module.after.copy_(torch.tensor([0.0, -0.125, 0.25, 0.1])[channels % 4])
    return model.eval()


def norm_act(channels: int, kind: str | int) -> list[nn.Module]:
    if kind in (5, 8, "int8"):
        return [q.Requantize(channels, kind)]
    return [q.BatchNorm(channels), q.Activation(kind)]


def image_net(weights: str | int, kind: str | int) -> nn.Module:
    """Input (N, 2, 11, 9): every 2-D layer kind once."""
    pad = -1 if kind == "bipolar" else 0
    body = nn.Sequential(
        q.Conv2d(8, 8, 3, pad=1, pad_value=pad, groups=2, weights=weights),
        *norm_act(8, "ternary" if kind in (5, 8, "int8") else kind),
    )
    before = norm_act(8, "ternary") if kind in (5, 8, "int8") else []
    return nn.Sequential(
        q.Conv2d(2, 8, 3, stride=(1, 2), pad=(1, 0, 0, 2), pad_value=7, weights=weights),
        q.MaxPool(2, stride=1),
        *norm_act(8, kind),
        q.Conv2d(8, 8, 1, weights=weights),
        *(before or norm_act(8, kind)),
        q.Residual(body),
        q.BatchNorm(8),
        q.Activation(3),
        q.MaxPool(3, stride=2, pad=1),
        q.AvgPool((2, 1), q.Activation(4, scale=0.25), stride=1),
        q.Flatten(),
        q.BatchNorm(8 * 4 * 2),
        q.Activation("ternary"),
        q.Linear(8 * 4 * 2, 12, weights=weights),
        *norm_act(12, kind),
        q.Output(12, 5, weights=weights),
    )


def series_net(kind: str | int = 2) -> nn.Module:
    """Input (N, 3, 20): the 1-D layers."""
    return nn.Sequential(
        q.Conv1d(3, 8, 5, stride=2, pad=(2, 1), pad_value=-3),
        q.MaxPool(2),
        q.BatchNorm(8),
        q.Activation(kind),
        q.Conv1d(8, 4, 3, groups=4, weights="binary"),
        q.BatchNorm(4),
        q.Activation("int3"),
        q.SumPool(),
        q.BatchNorm(4),
        q.Activation("bipolar"),
        q.Flatten(),
        q.Output(4, 3, weights=8),
    )


def mixed_net(kinds: Sequence[str | int], width: int = 8) -> nn.Module:
    """Input (N, 2, 11, 9): a convolution for each kind of weights, in groups of 1, 2 and 4."""
    layers: list[nn.Module] = [q.Conv2d(2, width, 3), q.BatchNorm(width), q.Activation(2)]
    for i, kind in enumerate(kinds):
        layers.append(
            q.Conv2d(width, width, (1, 2) if i % 4 == 0 else 1, groups=(1, 2, 4)[i % 3], weights=kind)
        )
        layers += [q.BatchNorm(width), q.Activation(2)]
    return nn.Sequential(
        *layers, q.AvgPool(None, q.Activation(4)), q.Flatten(), q.Output(width, 5, kinds[-1])
    )


def block_net(weights: str | int, kind: str | int) -> nn.Module:
    """Input (N, 2, 11, 9): depthwise-separable, and residual blocks with both kinds of shortcut."""
    pad = -1 if kind == "bipolar" else 0
    return nn.Sequential(
        q.DepthwiseSeparable(2, 6, (3, 2), pad=(1, 0, 1, 1), pad_value=3, weights=weights, activations=kind),
        q.DepthwiseSeparable(6, 8, stride=(2, 1), pad_value=pad, weights=weights, activations=kind),
        q.BasicBlock(8, 8, weights=weights, activations=kind),
        q.BasicBlock(8, 12, 2, weights=weights, activations=kind),
        q.Flatten(),
        q.Output(12 * 3 * 5, 5, weights=weights),
    )


def shifted_net(kind: str | int = "bipolar", surrogate: str | None = None) -> nn.Module:
    """Input (N, 2, 11, 9): learned shifts before quantisers, with and without batch-norm, and a choice."""
    pad = -1 if kind == "bipolar" else 0
    return nn.Sequential(
        q.Conv2d(2, 8, 3, stride=(1, 2), pad=(1, 0, 0, 2), pad_value=7),
        q.BatchNorm(8),
        q.RPReLU(8),
        q.RSign(8, kind, surrogate=surrogate),
        q.Conv2d(8, 8, 3, pad=1, pad_value=pad),
        q.RSign(8, kind, surrogate=surrogate),
        q.Conv2d(8, 8, 1, stride=2),
        q.RPReLU(8),
        q.RPReLU(8, slope=0.0),
        q.Choice([q.Activation("ternary"), q.RSign(8, "ternary", surrogate=surrogate)]),
        q.Flatten(),
        q.RPReLU(8 * 5 * 3),
        q.RSign(8 * 5 * 3, kind, surrogate=surrogate),
        q.Output(8 * 5 * 3, 5),
    )


def encoded_net(encoding: nn.Module, planes: int, pad_value: int) -> nn.Module:
    """Input (N, 2, 11, 9): `encoding` makes `planes` channels of each of the two."""
    return nn.Sequential(
        encoding,
        q.Conv2d(2 * planes, 6, 3, pad=1, pad_value=pad_value),
        q.BatchNorm(6),
        q.Activation(2),
        q.Flatten(),
        q.Output(6 * 11 * 9, 5),
    )
