"""Sums themselves, which pass through memory to the usual epilogue."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from edgeternary.c.lanes import text1, text2, text_helium
from edgeternary.c.lanes.after.base import ANY, After, Case, Cycles, Reach, part_start
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.walk import Walk


@dataclass(frozen=True, kw_only=True)
class Sums(After):
    """A lane holds S - min(S); sums that are too long for a lane come in several parts."""

    kind = "sums"
    formula = "the sums as they are, which become results row by row"
    parts = (1, ANY)
    stores = True

    @classmethod
    def plan(cls, case: Case) -> Self:
        return cls(start=np.zeros(len(case.low), np.int64))

    def says(self, last: bool) -> str:
        return self.formula

    def c(self, group: Group, part: int, walk: Walk) -> list[str]:
        return [f"y[{part * walk.apart + i}] = a{i};" for i in range(group.size)]

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        yield f"add r1, sp, #{text1.SUMS}"
        yield from [f"ldr r2, [sp, #{text1.Y}]", *text1.add("r2", 4 * part * walk.apart, "r3")]
        for first in range(0, group.size, 4):
            names = ", ".join(text1.LOW[1:][: group.size - first])
            yield from [f"ldmia r1!, {{{names}}}", f"stmia r2!, {{{names}}}"]

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        yield from [f"ldr r1, [sp, #{text2.Y}]", *text2.add("r1", 4 * part * walk.apart, "r2")]
        yield from text2.store(accs, "r1")

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterable[str]:
        lines = [*text_helium.addresses("r1", text_helium.Y), *text_helium.moved("q7", 4 * part * walk.apart)]
        return lines + [f"vstrw.32 {acc}, [q7, #{4 * i}]" for i, acc in enumerate(accs)]

    def cycles(self) -> Cycles:
        return Cycles(thumb1=1, thumb2=1, helium=0)

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        return []

    def starts(self, group: Group, reach: Reach) -> list[int]:
        return [start for part in range(len(group.parts)) for start in part_start(group, part, reach)]
