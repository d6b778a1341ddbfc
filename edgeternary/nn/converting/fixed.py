"""Layers whose weights no training changes: they move, repeat or add elements."""

from __future__ import annotations

import torch
from torch import Tensor

from edgeternary.nn.linear import Quantized


def fixed(layer: Quantized, codes: Tensor) -> None:
    """Gives a layer weight codes that no training changes."""
    with torch.no_grad():
        layer.weight.copy_(codes / layer.quantizer.top)
        layer.quantizer.settle(layer.weight)
    for parameter in layer.parameters():
        parameter.requires_grad_(False)
