"""Fits the untrained layers of a table network to data, before its training."""

from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.nn.luts.encoder import Comparisons
from edgeternary.nn.luts.layer import LutLayer


@torch.no_grad()
def fit_tables(model: nn.Module, x: Tensor) -> None:
    """Sets quantiles as thresholds, and offers tables only the bits that vary, in place.

    x: codes (N, ...) of training samples, as the model takes them. A model without such layers is left alone.
    """
    layers = [module for module in model.modules() if isinstance(module, Comparisons | LutLayer)]
    hooks = [layer.register_forward_pre_hook(_fit) for layer in layers]
    training = model.training
    try:
        if layers:
            model.eval()(x)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)


def _fit(layer: Any, inputs: tuple[Tensor, ...]) -> None:
    layer.fit(inputs[0])
