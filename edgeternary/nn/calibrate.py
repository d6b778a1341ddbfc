"""Statistics and step sizes from example data, for models that were converted."""

from typing import Any

import torch
from torch import Tensor, fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.activations import Activation
from edgeternary.nn.linear import Output
from edgeternary.nn.norm import BatchNorm, Requantize


@torch.no_grad()
def output_statistics(model: fx.GraphModule, example: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and standard deviation per channel of what each node of a traced model gives, by its name."""
    found: dict[str, tuple[Tensor, Tensor]] = {}

    class Watched(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            y = super().run_node(n)
            if isinstance(y, Tensor) and y.dim() > 1 and y.is_floating_point():
                axes = [0, *range(2, y.dim())]
                found[n.name] = y.mean(axes), y.std(axes).clamp_min(1e-6)
            return y

    training = model.training
    try:
        Watched(model.eval()).run(example)
    except Exception as error:  # whatever the model's own layers raise
        raise EdgeTernaryError(
            f"the model does not take the example, of shape {tuple(example.shape)}",
            (str(error).strip() or type(error).__name__).splitlines()[0],
            "give a batch of the model's inputs: (samples, channels, ...)",
        ) from error
    finally:
        model.train(training)
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
