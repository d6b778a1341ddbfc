"""Small language models with random weights, whose gates and norms all move."""

from __future__ import annotations

import numpy as np
import torch

from edgeternary.frontends.torch_lm import lower_lm
from edgeternary.ir import Graph
from edgeternary.nn.lm import MatMulFreeLM

SYMBOLS = "\n abcdefghijk"


def small(width: int = 24, layers: int = 2, hidden: int = 40, seed: int = 0) -> MatMulFreeLM:
    """A model in eval mode."""
    torch.manual_seed(seed)
    model = MatMulFreeLM(len(SYMBOLS), width, layers, hidden)
    with torch.no_grad():
        model.bias.normal_(0, 0.5)
        model.gain.fill_(0.7)
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(1.5)
    return model.eval()


def lowered(model: MatMulFreeLM) -> Graph:
    return lower_lm(model, SYMBOLS, name="small_lm")


def texts(samples: int, steps: int, seed: int = 0) -> np.ndarray:
    """Codes (samples, steps)."""
    return np.random.default_rng(seed).integers(0, len(SYMBOLS), (samples, steps))
