"""Statistics and step sizes from example data, for models that were converted."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.nn.activations import Activation
from edgeternary.nn.linear import Output
from edgeternary.nn.norm import BatchNorm, Requantize


@torch.no_grad()
def output_statistics(model: nn.Module, example: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and standard deviation per channel of each Linear's and Conv's output, by module path."""
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def keep(path: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Tensor) -> None:
            axes = [0, *range(2, output.dim())]
            found[path] = output.mean(axes), output.std(axes).clamp_min(1e-6)

        return hook

    layers = [(p, m) for p, m in model.named_modules() if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d))]
    hooks = [module.register_forward_hook(keep(path)) for path, module in layers]
    training = model.training
    model.eval()(example)
    model.train(training)
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def calibrate(model: nn.Module, example: Tensor) -> None:
    """One pass over `example` that sets batch-norm statistics, step sizes 2 mean|x| / sqrt(highest code)
    (LSQ's start), and the logit scale so that logits start with a deviation of 1. Leaves the model in train
    mode."""
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0

    def set_scale(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        if not getattr(module, "learns_scale", True):
            return
        if isinstance(module, Activation) and module.levels.gap == 1:
            module.scale.fill_(max(1e-4, 2 * float(args[0].abs().mean()) * max(module.levels.hi, 1) ** -0.5))
        elif isinstance(module, Requantize):
            step = max(1e-4, float(module.train_forward(args[0]).abs().amax()) / module.levels.hi)
            module.scale.fill_(step / module.unit)

    def set_logits(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, Output):
            module.scale.div_(output.std().clamp_min(1e-6))

    hooks = [module.register_forward_pre_hook(set_scale) for module in model.modules()]
    hooks += [module.register_forward_hook(set_logits) for module in model.modules()]
    model.train()(example)
    for hook in hooks:
        hook.remove()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
