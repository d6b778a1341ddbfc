"""The float picture model of MLPerf Tiny in torch: the figure to reach, and the start of a training."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary import nn as q
from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.frontends.tflite.weights import real_weights
from edgeternary.nn.linear import Quantized

VARIABLE = "EDGETERNARY_MLPERF_TINY"  # a folder with ic_float.tflite
FILE = "ic_float.tflite"
CHANNELS = (16, 32, 64)
NOISE = 0.2  # of a copied channel's weights, as a share of their standard deviation: copies must part
SAME = {1: (1, 1, 1, 1), 2: (0, 0, 1, 1)}  # top, left, bottom, right of a 3x3 window, by its stride


def weights() -> list[tuple[Tensor, Tensor]]:
    """(weights (outputs, inputs, height, width), bias) of each layer of the file, in order.

    A block of the file is conv, conv, and from the second block on the 1x1 convolution of its shortcut.
    EdgeTernaryError if the file is missing.
    """
    path = Path(os.environ.get(VARIABLE, ".")) / FILE
    if not path.exists():
        raise EdgeTernaryError(
            f"{path} is missing", "training starts from it", f"name its folder in {VARIABLE}", BAD_INPUT
        )
    return [(torch.from_numpy(kernel), torch.from_numpy(bias)) for kernel, bias in real_weights(path)]


class Official(nn.Module):
    """Codes (N, 3, 32, 32) of pixels -> logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = weights()

    def forward(self, x: Tensor) -> Tensor:
        layers = iter(self.layers)

        def conv(x: Tensor, stride: int = 1) -> Tensor:
            kernel, bias = next(layers)
            top, left, bottom, right = SAME[stride] if kernel.shape[2] == 3 else (0, 0, 0, 0)
            return F.conv2d(F.pad(x, (left, right, top, bottom)), kernel, bias, stride)

        x = F.relu(conv(x.float()))
        for block in range(3):
            stride = 1 if block == 0 else 2
            body = conv(F.relu(conv(x, stride)))
            x = F.relu(body + (conv(x, stride) if block else x))
        kernel, bias = next(layers)
        return F.linear(x.mean((2, 3)), kernel, bias)


def pictures(
    weights_of: str = "ternary",
    activations: int = 4,
    channels: Sequence[int] = CHANNELS,
    zeros: Mapping[str, float] | None = None,
) -> nn.Module:
    """ResNet-8 whose layers begin with the official weights, each output channel scaled to 1 at most.

    channels  of the three blocks. A channel more than the official ones begins as a noisy copy of one, and
              its readers share that one's weight (Net2WiderNet; Chen, Goodfellow and Shlens, 2016)
    zeros     the least share of zero weights of layers, by their path or pattern: {"block3.*": 0.8}

    Batch-norms undo the scale. EdgeTernaryError for fewer channels than CHANNELS or an unknown layer.
    """
    if len(channels) != 3 or any(new < old for new, old in zip(channels, CHANNELS, strict=False)):
        raise EdgeTernaryError(
            f"channels = {list(channels)}",
            f"at least {list(CHANNELS)} begin as the official ones",
            "widen them",
        )
    first, second, third = channels

    def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
        pad = SAME[stride] if kernel == 3 else 0
        return [
            q.Conv2d(inputs, outputs, kernel, stride, pad, weights=weights_of),
            q.BatchNorm(outputs),
            q.Activation(activations),
        ]

    layers: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(*conv(3, first)))
    widths = [(first, first), (first, second), (second, third)]
    for i, (inputs, outputs) in enumerate(widths, 1):
        stride = 1 if i == 1 else 2
        body = nn.Sequential(*conv(inputs, outputs, stride=stride), *conv(outputs, outputs))
        shortcut = None if i == 1 else nn.Sequential(*conv(inputs, outputs, 1, stride))
        layers[f"block{i}"] = q.Residual(body, shortcut)
        layers[f"bn{i}"], layers[f"act{i}"] = q.BatchNorm(outputs), q.Activation(activations)
    layers["pool"] = q.GlobalAvgPool(q.Activation(4))
    layers["flatten"] = q.Flatten()
    layers["fc"] = q.Output(third, 10, weights_of)
    model = nn.Sequential(layers)
    _begin(model)
    for layers, share in (zeros or {}).items():
        q.set_sparsity(model, share, [layers])
    return model


@torch.no_grad()
def _begin(model: nn.Module) -> None:
    """Latent weights from the official ones; a wider layer by copies of channels."""
    noise = torch.Generator().manual_seed(0)
    own = [module for module in model.modules() if isinstance(module, Quantized)]
    for layer, (real, _) in zip(own, weights(), strict=True):
        outputs, inputs = layer.weight.shape[:2]
        wide = _copied(_copied(real, 0, outputs, noise), 1, inputs, noise)
        axes = tuple(range(1, real.ndim))
        layer.weight.copy_(wide / wide.abs().amax(axes, keepdim=True).clamp_min(1e-9))


def _copied(real: Tensor, axis: int, size: int, noise: torch.Generator) -> Tensor:
    """`real` with `size` entries along `axis`: entry i of the official n is also entry i + n, and so on.

    Copies are noisy. Along the inputs (axis 1) each is divided by the number of entries that are the same.
    """
    known = real.shape[axis]
    if size == known:
        return real
    places = torch.arange(size) % known
    wide = real.index_select(axis, places)
    if axis == 1:
        shares = torch.bincount(places, minlength=known)[places].reshape(1, -1, *[1] * (real.ndim - 2))
        wide = wide / shares
    return wide + NOISE * wide.std() * torch.randn(wide.shape, generator=noise)
