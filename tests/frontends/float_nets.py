"""Random float networks of torch's layers and functions, in orders and with options as people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Step = Callable[[nn.Module, Tensor], Tensor]
CURVES = (nn.ReLU, nn.ReLU6, nn.Tanh, nn.Sigmoid, nn.Hardswish, nn.GELU, nn.LeakyReLU)
CALLS = (F.relu, torch.relu, torch.tanh, torch.sigmoid, F.hardtanh, lambda x: x.relu(), F.relu_, F.silu)


class FloatNet(nn.Module):
    """Layers and functions in a row; what is a layer is a module, in a nested Sequential now and then."""

    def __init__(self, steps: list[Any]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(s for s in steps if isinstance(s, nn.Module))
        self.steps = [s if not isinstance(s, nn.Module) else None for s in steps]

    def forward(self, x: Tensor) -> Tensor:
        layers = iter(self.layers)
        for step in self.steps:
            x = step(self, x) if step is not None else next(layers)(x)
        return x


def random_net(seed: int) -> tuple[FloatNet, tuple[int, ...]]:
    """A network and the shape of its inputs, of 4 to 9 by 4 to 9 pixels."""
    rng = np.random.default_rng(seed)
    channels, shape = int(rng.integers(1, 4)), (int(rng.integers(4, 10)), int(rng.integers(4, 10)))
    given, steps = (channels, *shape), []
    for _ in range(rng.integers(1, 4)):
        channels, shape = _convolution(rng, steps, channels, shape)
        if min(shape) >= 4 and rng.random() < 0.5:
            shape = _pool(rng, steps, shape)
        _dropout(rng, steps)
    features = _flatten(rng, steps, channels, shape)
    for _ in range(rng.integers(0, 3)):
        width = int(rng.integers(2, 9))
        steps.append(nn.Linear(features, width, bias=bool(rng.random() < 0.8)))
        _norm_and_curve(rng, steps, nn.BatchNorm1d(width))
        _dropout(rng, steps)
        features = width
    steps.append(nn.Linear(features, 3))
    _end(rng, steps)
    return FloatNet(steps), given


def _convolution(
    rng: np.random.Generator, steps: list[Any], channels: int, shape: tuple[int, int]
) -> tuple[int, tuple[int, int]]:
    kernel = int(rng.integers(1, min(3, *shape) + 1))
    groups = channels if rng.random() < 0.2 else 1
    out = channels * int(rng.integers(1, 3)) if groups > 1 else int(rng.integers(2, 7))
    stride, pad = int(rng.integers(1, 3)), int(rng.integers(0, kernel // 2 + 1))
    conv = nn.Conv2d(channels, out, kernel, stride, pad, groups=groups, bias=bool(rng.random() < 0.6))
    steps.append(conv)
    if rng.random() < 0.2:
        steps.append(nn.MaxPool2d(1))
    _norm_and_curve(rng, steps, nn.BatchNorm2d(out))
    size = tuple((n + 2 * pad - kernel) // stride + 1 for n in shape)
    return out, (size[0], size[1])


def _norm_and_curve(rng: np.random.Generator, steps: list[Any], norm: nn.Module) -> None:
    """Mostly a batch-norm and a curve; sometimes one is missing, or they are nested, or reversed."""
    curve = rng.choice(len(CURVES))
    layers = [norm] if rng.random() < 0.6 else []
    if rng.random() < 0.9:
        call = CALLS[rng.choice(len(CALLS))]
        layers.append(CURVES[curve]() if rng.random() < 0.6 else (lambda n, x, call=call: call(x)))
    if rng.random() < 0.05:
        layers.reverse()
    if all(isinstance(layer, nn.Module) for layer in layers) and rng.random() < 0.3:
        layers = [nn.Sequential(*layers)]
    steps += layers


def _dropout(rng: np.random.Generator, steps: list[Any]) -> None:
    kind = rng.integers(0, 9)
    if kind == 0:
        steps.append(nn.Dropout(0.25))
    elif kind == 1:
        steps.append(lambda n, x: F.dropout(x, 0.5, n.training))
    elif kind == 2 and rng.random() < 0.2:
        steps.append(lambda n, x: F.dropout(x, 0.5))
    elif kind == 3:
        steps.append(nn.Identity())


def _pool(rng: np.random.Generator, steps: list[Any], shape: tuple[int, int]) -> tuple[int, int]:
    kernel, pad = int(rng.integers(2, 4)), int(rng.integers(0, 4) == 0)
    stride = int(rng.integers(1, kernel + 1))
    ceil = bool(rng.random() < 0.1)
    window = {"padding": pad, "ceil_mode": ceil}
    steps.append(
        [
            nn.MaxPool2d(kernel, stride, **window),
            nn.AvgPool2d(kernel, stride, **window),
            lambda n, x: F.max_pool2d(x, kernel, stride, **window),
            lambda n, x: F.avg_pool2d(x, kernel, stride, **window),
        ][rng.integers(0, 4)]
    )
    size = F.max_pool2d(torch.zeros(1, 1, *shape), kernel, stride, **window).shape[2:]
    return size[0], size[1]


def _flatten(rng: np.random.Generator, steps: list[Any], channels: int, shape: tuple[int, int]) -> int:
    """Flattens, sometimes after an average of the map; returns the number of features."""
    kind = rng.integers(0, 8)
    averages: list[Any] = [
        nn.AdaptiveAvgPool2d(1), lambda n, x: F.adaptive_avg_pool2d(x, (1, 1)),
        lambda n, x: x.mean((2, 3), keepdim=True),
    ]  # fmt: skip
    if kind < 3:
        steps.append(averages[kind])
        shape = (1, 1)
    elif kind == 3:
        steps.append(lambda n, x: x.mean([-1, -2]))
        return channels
    flat: list[Any] = [
        nn.Flatten(), lambda n, x: x.flatten(1), lambda n, x: x.view(x.size(0), -1),
        lambda n, x: x.reshape(x.shape[0], -1), lambda n, x: torch.flatten(x, 1),
    ]  # fmt: skip
    if shape == (1, 1):
        flat.append(lambda n, x: x.squeeze(-1).squeeze(-1))
    steps.append(flat[rng.integers(0, len(flat))])
    return channels * shape[0] * shape[1]


def _end(rng: np.random.Generator, steps: list[Any]) -> None:
    ends: list[Any] = [
        nn.Sigmoid(), lambda n, x: F.log_softmax(x, dim=1), lambda n, x: torch.relu(x), nn.Dropout(),
        nn.ReLU(),
    ]  # fmt: skip
    if rng.random() < 0.25:
        steps.append(ends[rng.integers(0, len(ends))])
