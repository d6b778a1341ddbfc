"""A sum of two tables and one shift in place of the two roundings of an ADD, proven on all pairs of codes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeternary.frontends.tflite.arithmetic import Ints
from edgeternary.ir.types import INT32_HI

SHIFTS = range(22, 15, -1)


@dataclass(frozen=True)
class Tables:
    """(tables[0][a] + tables[1][b] + bias) >> shift is the code before the zero point and the clamp."""

    tables: list[Ints]
    bias: int
    shift: int


def both_tables(
    sides: list[Ints], after: tuple[int, int], codes: Callable[[Ints], Ints], clamp: tuple[int, int]
) -> Tables | None:
    """Tables that are right for all pairs; None where no shift gives them.

    sides (256,) each; `codes` maps their sum to codes of the output less its zero point.
    """
    right = codes(sides[0][:, None] + sides[1])
    wanted = np.clip(right, *clamp)
    factor = after[0] * 2.0 ** (after[1] - 31)
    for shift in SHIFTS:
        tables = [np.rint(side * (factor * 2.0**shift)).astype(np.int64) for side in sides]
        reach = sum(int(np.abs(table).max()) for table in tables) + (1 << shift)
        if reach > INT32_HI:
            continue
        found = (tables[0][:, None] + tables[1] + (1 << shift - 1)) >> shift
        if np.array_equal(np.clip(found, *clamp), wanted):
            return Tables(tables, 1 << shift - 1, shift)
    return None
