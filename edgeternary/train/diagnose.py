"""Finds the layer whose numbers are not finite."""

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.recipe import Recipe


def diverged(recipe: Recipe, epoch: int, model: nn.Module, images: Tensor) -> EdgeTernaryError:
    """The error for a loss that is not finite in `epoch` (counted from 1). It names the first such layer."""
    where = _first_weights(model) or _first_output(model, images)
    why = (
        f"the loss is not a number: {where}"
        if where
        else "the loss is not a number, though all layers are finite"
    )
    return EdgeTernaryError(
        f"training of {recipe.name} diverged in epoch {epoch}",
        why,
        f"halve lr (it is {recipe.lr:g}), or increase warmup",
    )


def finite(model: nn.Module) -> bool:
    """Whether all weights and statistics are finite."""
    return not _first_weights(model)


def _first_weights(model: nn.Module) -> str:
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return f"{name} holds values that are not finite"
    return ""


@torch.no_grad()
def _first_output(model: nn.Module, images: Tensor) -> str:
    found: list[str] = []

    def watch(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, args: object, output: object) -> None:
            if isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
                found.append(name or type(module).__name__)

        return model.get_submodule(name).register_forward_hook(hook)

    hooks = [watch(name) for name, _ in model.named_modules()]
    model(images)
    for hook in hooks:
        hook.remove()
    return f"the output of {found[0]!r} is the first that is not finite" if found else ""
