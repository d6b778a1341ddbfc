"""What the graph can say about one number of a layer's answer: which numbers it depends on, and how.

A `Sum` is a constant and a number for each value of each input, which are added. A `Local` depends on few
numbers, and is computed with the op's own numpy meaning, cut down to this one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeternary.ir import Op, Value
from edgeternary.prove.evaluate import Column

Key = tuple[str, int]  # value and flat index


@dataclass(frozen=True)
class Sum:
    """constant + sum of factor * x over `factors`; a `bits` one adds factor * (x > 0)."""

    constant: int
    factors: dict[Key, int]
    bits: bool = False

    def column(self, key: Key, numbers: Column) -> Column:
        """What the values of one input add."""
        return self.factors.get(key, 0) * ((numbers > 0).astype(np.int64) if self.bits else numbers)


@dataclass(frozen=True)
class Local:
    """A function of the numbers at `keys`, which come as columns in their order."""

    keys: tuple[Key, ...]
    function: Callable[[list[Column]], Column]


@dataclass(frozen=True)
class Largest:
    """The index of the largest of the numbers at `keys`, the lowest of equals."""

    keys: tuple[Key, ...]


Meaning = Sum | Local | Largest
Rule = Callable[[Op, list[Value], int], Meaning | None]
