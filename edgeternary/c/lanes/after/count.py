"""Thresholds of sums that fit their lanes, counted by the highest bits of lanes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from edgeternary.c.lanes import text2
from edgeternary.c.lanes.after import count1
from edgeternary.c.lanes.after.base import Case, Cycles
from edgeternary.c.lanes.after.compared import Compared, thresholds
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.walk import Walk


@dataclass(frozen=True, kw_only=True)
class Count(Compared):
    """A lane of B bits holds S - t[0] + 2^(B-1), so that its highest bit is the first comparison; the others
    follow after subtracting t[k] - t[k - 1]. A channel whose sums need all B bits is hard: it holds
    S - min(S), and t[k] - min(S) is compared in two steps, the highest bit apart from the others.
    """

    kind = "count"
    formula = "y = the number of thresholds that the sum reaches, in every lane"

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        t, low, high = thresholds(case), case.low, case.high
        if t is None:
            return None
        edge = 2 ** (case.reach.bits - 1)
        easy = ((low[:, None] - t).min(axis=1) >= -edge) & ((high[:, None] - t).max(axis=1) < edge)
        if (high - low)[~easy].max(initial=0) + 1 >= 2 * edge:
            return None
        steps = np.where(easy[:, None], np.diff(t, axis=1, prepend=t[:, :1]), t - low[:, None]).T
        return cls(start=np.where(easy, edge - t[:, 0], -low), limits=steps, hard=(~easy).astype(np.int64))

    def above(self, level: int, channel: int) -> int:
        return int(self.limits[1 : level + 1, channel].sum())

    def reached(self, channel: int, bits: int) -> list[int]:
        if self.hard[channel]:
            return self.limits[:, channel].tolist()
        return [2 ** (bits - 1) + self.above(level, channel) for level in range(self.levels)]

    def word_c(self, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
        """The highest bit of a lane says that a threshold is reached."""
        if self.hard[group.first + i]:
            limits = [f"k[{level * group.size + i}]" for level in range(1, self.levels + 1)]
            yield from self.all_bits_c(group.first + i, i, limits, bits, ones)
            return
        reached = f"(a{i} >> {bits - 1}) & 0x{ones:x}u"
        if self.levels == 1:
            yield f"a{i} = {reached};"
            return
        yield f"v = {reached};"
        for level in range(1, self.levels):
            last = level == self.levels - 1
            yield f"a{i} -= k[{(level + 1) * group.size + i}];"
            yield f"{f'a{i} = v +' if last else 'v +='} ({reached});"

    def saved1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        return count1.saved(group, part, walk)

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        return count1.counted(self, group, walk, lambda i: [])

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """r1: the constants; r0, which is restored, counts where all bits are needed."""
        tops, ones, by = f"#0x{walk.ones << (walk.bits - 1):08x}", f"#0x{walk.ones:08x}", walk.bits - 1
        yield from [f"ldr r1, [sp, #{text2.K}]", "push {r0}"]
        for i, acc in enumerate(accs):
            loads = [f"ldr r3, [r1, #{4 * ((level + 1) * group.size + i)}]" for level in range(self.levels)]
            if self.hard[group.first + i]:
                yield f"orr r2, {acc}, {tops}"
                for level, load in enumerate(loads):
                    name = "and" if self.limits[level, group.first + i] >> by else "orr"
                    yield from [load, "subs r3, r2, r3", f"{name} r3, r3, {acc}", f"and r3, r3, {tops}"]
                    yield f"add r0, r0, r3, lsr #{by}" if level else f"lsr r0, r3, #{by}"
                yield f"mov {acc}, r0"
                continue
            first = [f"lsr {acc}, {acc}, #{by}", f"and {acc}, {acc}, {ones}"]
            for level, load in enumerate(loads[1:]):
                yield from [load, "subs r2, r2, r3" if level else f"sub r2, {acc}, r3"]
                yield from first if level == 0 else []
                yield from [f"and r3, r2, {tops}", f"add {acc}, {acc}, r3, lsr #{by}"]
            yield from first if self.levels == 1 else []
        yield from ["pop {r0}", *text2.codes(walk, accs)]

    def cycles(self) -> Cycles:
        levels = self.levels
        return Cycles(thumb1=5 * levels, thumb2=2 + 5 * (levels - 1), helium=1 + 3 * levels)
