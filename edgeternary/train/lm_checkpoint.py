"""Going on with the training of a language model after it was stopped, as if it had not been."""

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
    """One file, which appears only when whole; it is written `seconds` after the last time."""

    path: Path
    seconds: float = 60.0
    last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self.last >= self.seconds

    def write(
        self,
        recipe: LmRecipe,
        update: int,
        model: MatMulFreeLM,
        optimizer: torch.optim.Optimizer,
        states: list[Tensor],
    ) -> None:
        """What is there after `update` gradient steps."""
        state = {"recipe": asdict(recipe), "update": update, "model": model.state_dict()}
        state |= {"optimizer": optimizer.state_dict(), "states": list(states)}
        write_whole(self.path, tensors_to_bytes(state))
        self.last = time.monotonic()

    def read(
        self, recipe: LmRecipe, model: MatMulFreeLM, optimizer: torch.optim.Optimizer
    ) -> tuple[int, list[Tensor]]:
        """Sets model and optimizer; the gradient steps done, and the states after them. (0, []) without a
        file; EdgeTernaryError for one that is damaged or of another recipe."""
        if not self.path.exists():
            return 0, []
        try:
            state: dict[str, Any] = torch.load(self.path, weights_only=True)
            found, update, states = state["recipe"], int(state["update"]), list(state["states"])
        except Exception as error:  # unpickling fails in many ways
            why = str(error).splitlines()[0]
            raise EdgeTernaryError(
                f"{self.path} is no checkpoint", why, "delete it, and training starts from the beginning"
            ) from error
        other = sorted(key for key, value in asdict(recipe).items() if found.get(key) != value)
        if other:
            raise EdgeTernaryError(
                f"{self.path} belongs to another run",
                f"its recipe differs in {', '.join(other)}",
                "delete it, or name another --checkpoint",
            )
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return update, states
