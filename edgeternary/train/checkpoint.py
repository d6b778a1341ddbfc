"""Checkpoints: one file holds all that a run needs to continue after any step. It is written atomically."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.files import tensors_to_bytes, write_whole
from edgeternary.train.recipe import Recipe
from edgeternary.train.toml import to_table

Row = dict[str, float]


@dataclass
class Position:
    """The point that a run has reached.

    stage        number of finished stages
    epoch        number of finished epochs of the current stage
    batch, step  number of finished batches of the current epoch, and of the current stage
    order        the order of the samples in the current epoch
    loss, right  sums over the batches of the current epoch
    best         validation accuracy, number and weights of the best epoch, if the recipe has `patience`
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    order: Tensor | None = None
    loss: float = 0.0
    right: float = 0.0
    seconds: float = 0.0
    history: list[Row] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)

    def next_epoch(self) -> None:
        self.epoch, self.batch, self.order, self.loss, self.right = self.epoch + 1, 0, None, 0.0, 0.0

    def next_stage(self) -> None:
        self.stage, self.epoch, self.step = self.stage + 1, 0, 0


@dataclass
class Saver:
    """Decides when a checkpoint is due: `seconds` after the last one, or after `steps` steps if not 0."""

    path: Path | None
    seconds: float = 60.0
    steps: int = 0
    last: float = field(default_factory=time.monotonic)

    def due(self, step: int) -> bool:
        if self.path is None:
            return False
        return step % self.steps == 0 if self.steps else time.monotonic() - self.last >= self.seconds

    def write(self, recipe: Recipe, state: dict[str, Any]) -> None:
        if self.path is not None:
            write_whole(self.path, tensors_to_bytes({"recipe": to_table(recipe), **state}))
            self.last = time.monotonic()


def read(path: Path, recipe: Recipe) -> dict[str, Any]:
    """The state that `Saver.write` stored. EdgeTernaryError for a damaged file or another recipe."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        found, position = state["recipe"], state["position"]
    except Exception as error:  # unpickling fails in many ways
        raise EdgeTernaryError(
            f"{path} is not a checkpoint",
            str(error).splitlines()[0],
            "delete it to start the training from the beginning",
        ) from error
    old, new = _flat(found), _flat(to_table(recipe))
    differences = [key for key in old | new if old.get(key) != new.get(key)]
    if differences:
        raise EdgeTernaryError(
            f"{path} belongs to another run",
            f"its recipe differs in {', '.join(sorted(differences)[:6])}",
            "delete it, or choose another file with --checkpoint",
        )
    state["position"] = Position(**position)
    return state


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat
