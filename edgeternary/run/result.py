"""What an executor answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
