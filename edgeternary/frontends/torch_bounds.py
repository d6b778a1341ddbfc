"""Bounds of Requantize layers that fit the weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from edgeternary.frontends.torch import lower
from edgeternary.frontends.torch_quantize import BoundExceeded


def fit_bounds(model: nn.Module, example: Tensor, **options: Any) -> dict[str, int]:
    """Raises `bound` of every Requantize whose accumulators reach beyond it, in place; returns those raised.

    What accumulators reach is known when the weights are. A multiplier has about 31 - log2(bound) bits, so
    the answers of model.eval() may change in the last place: call it after training, before measuring.
    options: of lower(), such as input_type. {module path: bound, a power of two}; EdgeTernaryError as
    lower().
    """
    raised: dict[str, int] = {}
    while True:
        try:
            lower(model, example, **{**options, "check": False})
            return raised
        except BoundExceeded as error:
            bound = 1 << (error.needed - 1).bit_length()
            if raised.get(error.layer) == bound:  # the multiplier does not fit for another reason
                raise
            layer: Any = model.get_submodule(error.layer)
            layer.bound = raised[error.layer] = bound
