"""Values that change in every step: the learning rate, annealed attributes, clipped latent weights."""

import math
from collections.abc import Mapping

import torch
from torch import nn

from edgeternary.nn import LutLayer, set_progress
from edgeternary.nn.linear import Quantized
from edgeternary.train.lookup import unknown
from edgeternary.train.recipe import Recipe

PROGRESS = "progress"
Ends = tuple[float, float]


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """The learning rate: a linear warm-up to recipe.lr, then a cosine to zero."""
    warm = max(1, round(steps * recipe.warmup))
    if step < warm:
        return recipe.lr * (step + 1) / warm
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def clip_latents(model: nn.Module, bound: float = 1.0) -> None:
    """Keeps latent weights and entries of tables in [-bound, bound], where their gradients hold."""
    for module in model.modules():
        if isinstance(module, Quantized):
            module.weight.clamp_(-bound, bound)
        elif isinstance(module, LutLayer):
            module.clip(bound)


def anneal(model: nn.Module, ends: Mapping[str, Ends], share: float) -> None:
    """Sets the annealed attributes to their values after `share` (0..1) of the run.

    ends gives (start, end) of each attribute; it changes linearly. `progress` of surrogates and choices goes
    from 0 to 1 unless `ends` names it.
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
    """EdgeTernaryError for a name that is not a float attribute of any module."""
    known = {
        name
        for module in model.modules()
        for name, value in vars(module).items()
        if isinstance(value, float) and not name.startswith("_")
    }
    for name in ends:
        if name not in known | {PROGRESS}:
            raise unknown("parameter in [anneal]:", name, sorted(known | {PROGRESS}))
