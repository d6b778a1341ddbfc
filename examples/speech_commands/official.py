"""The float keyword model of MLPerf Tiny in torch: it teaches, and a training starts from its weights."""

from __future__ import annotations

import os
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.frontends.tflite.weights import real_weights
from edgeternary.nn.linear import Quantized
from edgeternary.train.kinds import Kinds
from edgeternary.train.models import ds_cnn

VARIABLE = "EDGETERNARY_MLPERF_TINY"  # a folder with kws_float.tflite
FILE = "kws_float.tflite"


def weights() -> list[tuple[Tensor, Tensor]]:
    """(weights (outputs, inputs / groups, height, width), bias) of each layer of the file, in order.

    EdgeTernaryError if the file is missing.
    """
    path = Path(os.environ.get(VARIABLE, ".")) / FILE
    if not path.exists():
        raise EdgeTernaryError(
            f"{path} is missing", "this model teaches", f"name its folder in {VARIABLE}", BAD_INPUT
        )
    return [(torch.from_numpy(kernel), torch.from_numpy(bias)) for kernel, bias in real_weights(path)]


class Official(nn.Module):
    """Codes (N, 1, 49, 10) of MFCC -> logits (N, 12), classes by name: silence and unknown are first.

    A code means the coefficient (code - zero) * scale.
    """

    def __init__(self, scale: float, zero: int) -> None:
        super().__init__()
        self.scale, self.zero, self.layers = scale, zero, weights()

    def forward(self, x: Tensor) -> Tensor:
        (first, bias), *middle, (last, offset) = self.layers
        x = F.relu(F.conv2d(F.pad((x.float() - self.zero) * self.scale, (1, 1, 4, 5)), first, bias, 2))
        for k, (kernel, bias) in enumerate(middle):
            groups, pad = (64, 1) if k % 2 == 0 else (1, 0)
            x = F.relu(F.conv2d(x, kernel, bias, padding=pad, groups=groups))
        return F.linear(x.mean((2, 3)), last, offset).roll(2, 1)


def teacher(scale: float = 1.0, zero: int = 0) -> nn.Module:
    """The model that teaches, for codes of this scale and zero."""
    return Official(scale, zero)


def keywords(kinds: Kinds = "ternary", activations: Kinds = 4, classes: int = 12) -> nn.Module:
    """ds_cnn with the official weights, each output channel scaled to 1 at most: batch-norm undoes that."""
    model = ds_cnn(64, 4, classes, kinds, activations)
    layers = [module for module in model.modules() if isinstance(module, Quantized)]
    with torch.no_grad():
        for layer, (real, _) in zip(layers, weights(), strict=True):
            if real.ndim == 2:
                real = real.roll(2, 0)
            layer.weight.copy_(
                real / real.abs().amax(tuple(range(1, real.ndim)), keepdim=True).clamp_min(1e-9)
            )
    return model
