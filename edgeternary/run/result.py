"""What an executor answers, at once or step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Stat = int | float | str | None


@dataclass(frozen=True)
class Result:
    """Outputs of one executor.

    outputs  int32 (samples, *shape), or (samples, steps, *shape) for a graph with states
    taps     values at kernel or part borders by name, shaped like outputs
    stats    instructions, cycles, flash_bytes, ram_bytes, luts, ... (None with the reason beside it)
    layers   one dict a layer: name, kernel, instructions, cycles
    """

    outputs: np.ndarray
    taps: Mapping[str, np.ndarray] = field(default_factory=dict)
    stats: Mapping[str, Stat] = field(default_factory=dict)
    layers: list[dict[str, Stat]] = field(default_factory=list)


class Session(Protocol):
    """A model that stays alive between steps, its states with it.

    stats  what was measured up to now, as in Result.stats
    """

    stats: dict[str, Stat]

    def step(self, codes: np.ndarray) -> np.ndarray:
        """Codes (*input shape) in, int32 (*output shape) out; the states move on."""
