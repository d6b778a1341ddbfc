"""What an emulator counted of a model, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgeternary.image.elf import Elf


@dataclass(frozen=True)
class Count:
    """What one call did. `cycles` is None for a core without a timing model.

    most  cycles where neither a cache nor a prefetcher helps the flash; None where code arrives at once
    """

    instructions: int
    cycles: int | None
    most: int | None = None

    def __add__(self, other: Count) -> Count:
        return Count(
            self.instructions + other.instructions,
            _sum(self.cycles, other.cycles),
            _sum(self.most, other.most),
        )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True)
class Measured:
    """Means over the counted calls of <model>_run, and the deepest stack of them.

    layers  by index of the step: (step, count of all calls); the run function itself is the step -1
    """

    calls: int
    total: Count
    layers: dict[int, Count]
    stack_bytes: int
    timing: str


def step_functions(elf: Elf, prefix: str) -> dict[int, int]:
    """{address: index} of the functions <prefix>_<index>_<layer>, a compiler's clones of them included."""
    pattern = re.compile(rf"{re.escape(prefix)}_(\d+)_\w+(?:\..*)?")
    matches = ((function, pattern.fullmatch(function.name)) for function in elf.functions)
    return {function.address: int(match[1]) for function, match in matches if match}


def steps_of(calls: Sequence[int], steps: int) -> Sequence[int]:
    """The step of each call of a run, from the numbers in the names of the functions that were called.

    A compiler may merge equal functions. Where each of `steps` was called, their order tells them apart.
    """
    return range(steps) if len(calls) == steps else calls


def step_sizes(elf: Elf, prefix: str) -> dict[int, int]:
    """{index: bytes} of the same functions."""
    steps = step_functions(elf, prefix)
    sizes: dict[int, int] = {}
    for function in elf.functions:
        if function.address in steps:
            index = steps[function.address]
            sizes[index] = sizes.get(index, 0) + function.size
    return sizes


def mean(total: int | None, calls: int) -> int | float | None:
    """The mean of a sum over calls; an int when they can all have been equal."""
    if total is None:
        return None
    return total // calls if total % calls == 0 else round(total / calls, 1)
