"""What changes from step to step: the learning rate, annealed parameters, clipped latent weights."""

import math
from collections.abc import Mapping

import torch
from torch import nn

from edgeternary.nn import set_progress
from edgeternary.nn.linear import Quantized
from edgeternary.train.lookup import unknown
from edgeternary.train.recipe import Recipe

PROGRESS = "progress"
Ends = tuple[float, float]


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Linear warm-up to recipe.lr, then a cosine to zero."""
    warm = max(1, round(steps * recipe.warmup))
    if step < warm:
        return recipe.lr * (step + 1) / warm
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def clip_latents(model: nn.Module, bound: float = 1.0) -> None:
    """Keeps latent weights in [-bound, bound], where the straight-through estimator is honest."""
    for module in model.modules():
        if isinstance(module, Quantized):
            module.weight.clamp_(-bound, bound)


def anneal(model: nn.Module, ends: Mapping[str, Ends], share: float) -> None:
    """Moves what is annealed to where it is when `share` (0..1) of the run is done.

    `progress` of surrogates and choices goes from 0 to 1 unless `ends` says otherwise; any other name is an
    attribute of modules. A value goes from start to end in a line.
    """
    now = {
        name: start + share * (end - start) for name, (start, end) in {PROGRESS: (0.0, 1.0), **ends}.items()
    }
    set_progress(model, now.pop(PROGRESS))
    for name, value in now.items():
        for module in model.modules():
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, value)


def check_anneal(model: nn.Module, ends: Mapping[str, Ends]) -> None:
    """EdgeTernaryError for a name that is no number of any module."""
    known = {
        name
        for module in model.modules()
        for name, value in vars(module).items()
        if isinstance(value, float) and not name.startswith("_")
    }
    for name in ends:
        if name not in known | {PROGRESS}:
            raise unknown("parameter in [anneal]:", name, sorted(known | {PROGRESS}))
