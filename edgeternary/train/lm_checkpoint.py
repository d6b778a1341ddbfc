"""Continues the training of a language model after an interruption. The result does not change."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.lm import MatMulFreeLM
from edgeternary.train.files import tensors_to_bytes, write_whole
from edgeternary.train.lm_recipe import LmRecipe


@dataclass
class LmCheckpoint:
    """One file, which is written atomically, `seconds` after the last time."""

    path: Path
    seconds: float = 60.0
    last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether `seconds` have passed since the last write."""
        return time.monotonic() - self.last >= self.seconds

    def write(
        self,
        recipe: LmRecipe,
        update: int,
        model: MatMulFreeLM,
        optimizer: torch.optim.Optimizer,
        states: list[Tensor],
    ) -> None:
        """Stores the state after `update` gradient steps."""
        state = {"recipe": asdict(recipe), "update": update, "model": model.state_dict()}
        state |= {"optimizer": optimizer.state_dict(), "states": list(states)}
        write_whole(self.path, tensors_to_bytes(state))
        self.last = time.monotonic()

    def read(
        self, recipe: LmRecipe, model: MatMulFreeLM, optimizer: torch.optim.Optimizer
    ) -> tuple[int, list[Tensor]]:
        """Restores model and optimizer, and returns the finished gradient steps and the states after them.

        Returns (0, []) if there is no file. EdgeTernaryError for a damaged file or another recipe.
        """
        if not self.path.exists():
            return 0, []
        try:
            state: dict[str, Any] = torch.load(self.path, weights_only=True)
            found, update, states = state["recipe"], int(state["update"]), list(state["states"])
        except Exception as error:  # unpickling fails in many ways
            why = str(error).splitlines()[0]
            raise EdgeTernaryError(
                f"{self.path} is not a checkpoint", why, "delete it to start the training from the beginning"
            ) from error
        other = sorted(key for key, value in asdict(recipe).items() if found.get(key) != value)
        if other:
            raise EdgeTernaryError(
                f"{self.path} belongs to another run",
                f"its recipe differs in {', '.join(other)}",
                "delete it, or choose another file with --checkpoint",
            )
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return update, states
