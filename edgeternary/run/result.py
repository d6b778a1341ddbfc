"""What an executor answers, at once or step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Stat = int | float | str | None


@dataclass(frozen=True)
class Result:
    """Outputs of one executor.

    outputs  int32 (samples, *shape), or (samples, steps, *shape) for a graph with states; of several outputs
             a dict of such arrays by name (inside executors their joined form, see `ir.ports`)
    taps     values at kernel or part borders by name, shaped like outputs
    stats    instructions, cycles, flash_bytes, ram_bytes, luts, ... (None with the reason beside it)
    layers   one dict a layer: name, kernel, instructions, cycles
    """

    outputs: Any
    taps: Mapping[str, np.ndarray] = field(default_factory=dict)
    stats: Mapping[str, Stat] = field(default_factory=dict)
    layers: list[dict[str, Stat]] = field(default_factory=list)


class Session(Protocol):
    """A model that stays alive between steps, its states with it.

    stats  what was measured up to now, as in Result.stats
    """

    @property
    def stats(self) -> dict[str, Stat]: ...

    def step(self, codes: Any) -> Any:
        """Codes (*input shape) in, int32 (*output shape) out; the states move on.

        With several, a tuple or a mapping by name comes in, and a dict by name goes out.
        """
