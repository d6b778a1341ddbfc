"""A training that starts from a trained network of the same layers, whose quantisers may differ.

Weights, batch-norms and biases are copied. What belongs to a quantiser that is another one is fitted: the
step sizes of weights and activations to the least mean square error, and the scale of the logits to those of
the trained network.
"""

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.nn import BatchNorm
from edgeternary.nn.activations import Activation, StepSize, positive
from edgeternary.nn.learned_step import LearnedStep
from edgeternary.nn.linear import Logits, Quantized
from edgeternary.nn.luts.count import GroupSum
from edgeternary.nn.luts.encoder import Comparisons
from edgeternary.nn.luts.layer import LutLayer
from edgeternary.nn.norm import Requantize

CALIBRATION = 512  # training samples on which steps are fitted
VALUES = 1 << 16  # of an activation's inputs, from which its step is fitted
NORM = ("weight", "bias", "running_mean", "running_var")


@torch.no_grad()
def start_from(model: nn.Module, trained: nn.Module, x: Tensor) -> None:
    """Makes `model` answer as nearly as `trained` as its quantisers allow, in place.

    x: samples (n, *shape) of codes. Layers correspond by name; the batch-norm bn<i> to the Requantize act<i>,
    which contains one. EdgeTernaryError for a layer that `trained` does not have, or has in another size.
    """
    theirs = {name: m for name, m in trained.named_modules() if isinstance(m, Quantized)}
    for name, layer in model.named_modules():
        if isinstance(layer, Quantized):
            _copy_weights(name, layer, theirs.get(name))
    _copy_tables(model, trained)
    norms = {_plain(name): m for name, m in trained.named_modules() if isinstance(m, BatchNorm)}
    for name, norm in model.named_modules():
        other = norms.get(_plain(name))
        if isinstance(norm, BatchNorm) and other is not None and other.weight.shape == norm.weight.shape:
            for key in NORM:
                getattr(norm, key).copy_(getattr(other, key))
    answers = trained.eval()(x)
    _fit_activations(model, x)
    _fit_logits(model, x, answers)


def _copy_tables(model: nn.Module, trained: nn.Module) -> None:
    """Thresholds, tables, counts and the wiring, which stays as it is if `trained` comes from a file."""
    theirs = dict(trained.named_modules())
    for name, layer in model.named_modules():
        if isinstance(layer, Comparisons | LutLayer | GroupSum):
            other, size = theirs.get(name), layer.extra_repr()
            if not isinstance(other, type(layer)) or other.extra_repr() != size:
                raise _no_start(f"has no layer {name} of this size", f"layer {name} is {size}")
            layer.load_state_dict(other.state_dict())


def _no_start(found: str, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"the training cannot start from that network, which {found}",
        why,
        "start from a network with the same layers",
        USAGE,
    )


def _plain(name: str) -> str:
    """The name without bn or act: bn1 and act1, which follow the same layer, are both 1."""
    head, dot, last = name.rpartition(".")
    return head + dot + re.sub(r"^(bn|act)(?=\d|$)", "", last)


def _copy_weights(name: str, layer: Quantized, other: Quantized | None) -> None:
    if other is None or other.weight.shape != layer.weight.shape:
        found = f"has no layer {name}" if other is None else f"has {tuple(other.weight.shape)} of them"
        raise _no_start(found, f"the weights of layer {name} are {tuple(layer.weight.shape)}")
    layer.weight.copy_(other.weight)
    if isinstance(layer, Logits) and isinstance(other, Logits):
        layer.bias.copy_(other.bias)
    mine, given = layer.quantizer, other.quantizer
    if isinstance(mine, LearnedStep):
        if isinstance(given, LearnedStep) and (mine.top, mine.ratio.shape) == (given.top, given.ratio.shape):
            mine.ratio.copy_(given.ratio)
        else:
            _fit_weights(mine, layer.weight)


def _fit_weights(quantizer: LearnedStep, w: Tensor) -> None:
    """The ratio of least mean square error, for each channel where each has one."""
    ratio, flat = quantizer.ratio, w.flatten(1) if quantizer.ratio.dim() else w.reshape(1, -1)
    unit = quantizer.unit(w).reshape(-1, 1).float()

    def error(factor: float) -> Tensor:
        step = unit * factor
        return ((flat / step).round().clamp(-quantizer.top, quantizer.top) * step - flat).square().sum(1)

    factors = [0.02 * 1.08**i for i in range(70)]  # 0.02 .. 4 times mean |w|
    ratio.copy_(_best(factors, error).reshape(ratio.shape))


def _best(factors: list[float], error: Callable[[float], Tensor]) -> Tensor:
    """For each entry of error(factor) (n,), the factor that makes it least."""
    least = torch.stack([error(factor) for factor in factors]).argmin(0)
    return torch.tensor(factors)[least]


def _fit_activations(model: nn.Module, x: Tensor) -> None:
    """Fits each activation's step to its inputs, first to last, so that each sees fitted codes."""
    handles = [
        m.register_forward_pre_hook(_fit_step)
        for m in model.modules()
        if isinstance(m, StepSize) and isinstance(m, Activation | Requantize) and hasattr(m, "scale")
    ]
    try:
        model.train()(x)
    finally:
        for handle in handles:
            handle.remove()


def _fit_step(module: Any, inputs: tuple[Tensor, ...]) -> None:
    values = inputs[0] if isinstance(module, Activation) else module.train_forward(inputs[0])
    values = values.float().flatten()
    values = values[:: max(1, len(values) // VALUES)]
    lo, hi = module.levels.lo, module.levels.hi
    top = float(values.abs().max().clamp_min(1e-6)) / max(hi, 1)
    wanted = values.clamp_min(0) if lo == 0 else values

    def error(factor: float) -> Tensor:
        step = top * factor
        return ((values / step + 0.5).floor().clamp(lo, hi) * step - wanted).square().sum()[None]

    factor = _best([0.05 * 1.05**i for i in range(66)], error)[0]  # 0.05 .. 1.2
    module.scale.fill_(float(factor) * top / module.unit)


def _fit_logits(model: nn.Module, x: Tensor, answers: Tensor) -> None:
    """The scale of the last layer that makes the logits nearest to `answers`, biases apart."""
    layers = [m for m in model.modules() if isinstance(m, Logits)]
    if len(layers) != 1:
        return
    (layer,) = layers
    bias = layer.bias.reshape(-1, *[1] * (answers.dim() - 2))
    ours, wanted = model(x).double() - bias, answers.double() - bias
    factor = float((ours * wanted).sum() / ours.square().sum().clamp_min(1e-12))
    if factor > 0:
        layer.scale.copy_(positive(layer.scale) * factor)
