"""The goals of a search: which figures reach them, and which come nearest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Goals:
    """Limits of cycles and flash (bytes), and the least validation accuracy (0..1); None sets no limit."""

    max_cycles: float | None = None
    max_flash: float | None = None
    min_accuracy: float | None = None

    def excess(self, cycles: float, flash: float, accuracy: float = 1.0) -> float:
        """How far the figures are from the goals: 0 where all are reached.

        The sum of the natural logarithms of the ratios by which cycles, flash and the error rate, 1 -
        accuracy, are too large.
        """
        pairs = [(cycles, self.max_cycles), (flash, self.max_flash)]
        if self.min_accuracy is not None:
            pairs.append((1 - accuracy, max(1 - self.min_accuracy, 1e-4)))
        return sum(math.log(value / limit) for value, limit in pairs if limit is not None and value > limit)

    def misses(self, row: Mapping[str, Any]) -> list[str]:
        """What a measured row does not reach, in words."""
        found = []
        if self.max_cycles is not None and row["cycles"] > self.max_cycles:
            found.append(f"{row['cycles']:,.0f} cycles, at most {self.max_cycles:,.0f} allowed")
        if self.max_flash is not None and row["flash_bytes"] > self.max_flash:
            found.append(f"{row['flash_bytes']:,} bytes of flash, at most {self.max_flash:,.0f} allowed")
        if self.min_accuracy is not None and row["validation"] < self.min_accuracy:
            found.append(
                f"{row['validation']:.2%} validation accuracy, at least {self.min_accuracy:.2%} demanded"
            )
        return found
