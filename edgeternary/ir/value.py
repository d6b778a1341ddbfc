"""Values: what travels between layers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.names import check_name
from edgeternary.ir.types import Type

MAX_ELEMENTS = 2**26


@dataclass(frozen=True)
class Value:
    """A tensor without batch axis, channels last, its exact type, and the interval [lo, hi] it can take."""

    name: str
    shape: tuple[int, ...]
    type: Type
    lo: int
    hi: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        return self.shape[-1]

    def check(self) -> None:
        """Refuse shapes that are empty or huge, and an interval that is empty or outside the type."""
        check_name(self.name, "value")
        if not 1 <= len(self.shape) <= 4 or any(n < 1 for n in self.shape) or self.size > MAX_ELEMENTS:
            raise EdgeTernaryError(
                f"value {self.name!r} has the shape {self.shape[:6]}",
                f"a shape has 1 to 4 positive sizes and at most {MAX_ELEMENTS:,} elements",
            )
        members = self.type.contains(np.array([self.lo, self.hi]))
        if not members or self.lo > self.hi:
            raise EdgeTernaryError(
                f"value {self.name!r} has the interval [{self.lo}, {self.hi}]",
                f"its ends must ascend and be {self.type} values, {self.type.lo} to {self.type.hi}",
            )


@dataclass(frozen=True, eq=False)
class State:
    """A named tensor that is read at the start of a step and written at its end.

    value  its name, shape, type and interval; ops read it by that name
    init   int32 array of `value.shape`, its content after a reset
    next   name of the value that is written back at the end of a step
    """

    value: Value
    init: NDArray[np.int32]
    next: str
