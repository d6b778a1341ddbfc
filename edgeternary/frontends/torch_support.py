"""Which torch layers are understood, and what to use in place of the others."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.curve import Curve
from edgeternary.nn.linear import Quantized

HELD = "_held_codes"
PLAIN = (
    nn.Linear, nn.Conv2d, nn.MaxPool1d, nn.MaxPool2d, nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Identity, nn.Dropout,
    nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout,
    nn.FeatureAlphaDropout, nn.Flatten, nn.BatchNorm1d, nn.BatchNorm2d, nn.LeakyReLU, nn.Sequential,
    nn.ModuleList, nn.ModuleDict,
)  # fmt: skip
SUPPORTED = (
    "edgeternary.nn: Linear, Conv1d, Conv2d, Output, BatchNorm, Activation, RSign, RPReLU, Requantize, "
    "Binarize, Thermometer, BitPlanes, MaxPool, SumPool, AvgPool, GlobalAvgPool, Residual, Choice, Flatten, "
    "Add, Mul, Upsample, LIF, IF, Readout; "
    "torch.nn: Linear and Conv2d with integer weights, "
    "BatchNorm1d/2d, MaxPool1d/2d, ReLU, ReLU6, LeakyReLU, Hardtanh, Dropout, Identity, Flatten"
)
NEAREST = {
    "AvgPool1d": "AvgPool", "AvgPool2d": "AvgPool", "AdaptiveAvgPool1d": "GlobalAvgPool",
    "AdaptiveAvgPool2d": "GlobalAvgPool", "AdaptiveMaxPool2d": "MaxPool", "Conv1d": "Conv1d",
    "LayerNorm": "BatchNorm", "GroupNorm": "BatchNorm", "InstanceNorm2d": "BatchNorm",
    "LocalResponseNorm": "BatchNorm",
    "Sigmoid": "Activation", "Tanh": "Activation", "GELU": "Activation", "SiLU": "Activation",
    "ELU": "Activation",
    "SELU": "Activation", "Hardswish": "Activation", "Hardsigmoid": "Activation", "Mish": "Activation",
    "PReLU": "RPReLU", "Softplus": "Activation", "ConvTranspose2d": "Conv2d", "ConvTranspose1d": "Conv1d",
    "Bilinear": "Linear", "LazyLinear": "Linear", "LazyConv2d": "Conv2d",
    "Upsample": "Upsample", "UpsamplingNearest2d": "Upsample",
}  # fmt: skip
NO_LAYER = {
    "Softmax": "leave it out: argmax of the logits is the same, and the logits keep their scale",
    "LogSoftmax": "leave it out: argmax of the logits is the same, and the logits keep their scale",
}


def copied(model: nn.Module) -> nn.Module:
    """A copy in eval mode, or a refusal."""
    try:
        return copy.deepcopy(model).eval()
    except Exception as error:  # whatever the copy of a foreign attribute raises
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EdgeTernaryError(
            "the model cannot be copied",
            f"copy.deepcopy says: {said}",
            "keep parameters and buffers in it alone",
        ) from error


@contextmanager
def codes_given(model: nn.Module) -> Iterator[None]:
    """Inside, weight codes are buffers: torch.export need not trace how they are computed, layer by layer."""
    layers = [m for m in model.modules() if isinstance(m, Quantized) and not m.float_weights]
    for layer in layers:
        held = layer.integer_codes()
        layer.register_buffer(HELD, held, persistent=False)
        layer.codes = partial(getattr, layer, HELD)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            delattr(layer, HELD)
            del layer.codes


@contextmanager
def exactly() -> Iterator[None]:
    """Torch as lowering takes it: without gradients, and without autocast around it."""
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        yield


def check_dtypes(model: nn.Module) -> None:
    """Refuses parameters and buffers of another dtype than float32, by module path."""
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if (tensor.is_floating_point() or tensor.is_complex()) and tensor.dtype != torch.float32:
            path, _, own = name.rpartition(".")
            raise EdgeTernaryError(
                f"layer {path or 'model'!r} ({type(model.get_submodule(path)).__name__}) cannot be lowered",
                f"its {own} is {str(tensor.dtype).removeprefix('torch.')}; a graph gives what float32 does",
                "call model.float(), and measure that model",
            )


def check_modules(model: nn.Module) -> None:
    """Refuses layers of torch.nn that have no integer form, by module path, with the nearest one that has."""
    tables = tuple(f"{path}.function" for path, m in model.named_modules() if isinstance(m, Curve))
    for path, module in model.named_modules():
        if path.startswith(tables):
            continue  # it is evaluated for a table alone
        kind = type(module)
        plain = kind is nn.Module or isinstance(module, PLAIN)  # torch.fx makes each parent an nn.Module
        if not kind.__module__.startswith("torch.nn.modules") or plain:
            continue
        nearest = NEAREST.get(kind.__name__)
        raise EdgeTernaryError(
            f"layer {path or 'model'!r} ({kind.__name__}) cannot be lowered",
            f"it has no exact integer form here. Supported are {SUPPORTED}",
            NO_LAYER.get(kind.__name__)
            or f"nearest is edgeternary.nn.{nearest or 'Linear with an Activation'}",
        )
