"""Resuming: everything a run needs to go on after an epoch, in one file that appears only when whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.recipe import Recipe


def _fingerprint(recipe: Recipe) -> str:
    return f"{recipe.name} {recipe.epochs} {recipe.batch} {recipe.lr} {recipe.seed}"


def write(
    path: Path, recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer, rest: dict[str, Any]
) -> None:
    """rest: the generator's state, the epoch and the history."""
    partial = path.with_name(path.name + ".partial")
    state = {"recipe": _fingerprint(recipe), "model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({**state, **rest}, partial)
    partial.replace(path)


def read(path: Path, recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Fills model and optimizer, returns the rest; refuses a damaged file or another recipe's."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        found = state["recipe"]
    except Exception as error:  # unpickling fails in many ways
        raise EdgeTernaryError(f"{path} is no checkpoint", str(error).splitlines()[0], "delete it") from error
    if found != _fingerprint(recipe):
        raise EdgeTernaryError(
            f"{path} belongs to another run",
            f"it was made by {found!r}",
            "delete it, or choose another --checkpoint",
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state
