"""Few thresholds on a core that compares lanes: USUB8 or USUB16 with SEL, or VPT."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from edgeternary.c.assembly import note
from edgeternary.c.lanes import text2
from edgeternary.c.lanes.after import transpose2
from edgeternary.c.lanes.after.base import Case, Cycles
from edgeternary.c.lanes.after.compared import MAX_LEVELS, Compared, thresholds
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.walk import Walk

MAX_SELECTED = 3  # thresholds for which USUB8 and SEL take fewer instructions than `Count`


@dataclass(frozen=True, kw_only=True)
class Select(Compared):
    """A lane holds S - min(S)."""

    kind = "select"
    formula = "y = the number of thresholds that the sum reaches, by comparisons of lanes"
    spare = True

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        t, low, core = thresholds(case), case.low, case.core
        most = MAX_LEVELS if core.vectors else MAX_SELECTED if core.dsp else 0
        if t is None or t.shape[1] > most or (case.high - low).max() + 1 >= 2**case.reach.bits:
            return None
        return cls(start=-low, limits=(t - low[:, None]).T, hard=np.zeros(len(t), np.int64))

    def reached(self, channel: int, bits: int) -> list[int]:
        return self.limits[:, channel].tolist()

    def word_c(self, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
        """All bits of whole thresholds, which are side by side for a channel."""
        mask = ((1 << (bits - 1)) - 1) * ones
        first = group.size + self.levels * i
        limits = [f"(k[{first + level}] & 0x{mask:x}u)" for level in range(self.levels)]
        yield from self.all_bits_c(group.first + i, i, limits, bits, ones)

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        raise NotImplementedError("Armv6-M compares no lanes")

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """USUB sets a flag in each lane, by which SEL takes a code; r0, r2, r12: codes of 0, 1 and 2."""
        codes = [(walk.low + walk.unit * count) % 2**8 * walk.ones for count in range(self.levels + 1)]
        subtract = f"usub{walk.bits}"
        yield from [f"ldr r1, [sp, #{text2.K}]", "push {r0}"]
        yield from text2.sum_to("r1", "r1", 4 * group.size, "r3")
        for register, code in zip(("r0", "r2", "r12"), codes, strict=False):
            yield f"mov {register}, #0x{code:08x}"
        for acc in accs:
            if self.levels == 1:
                yield from ["ldr r3, [r1], #4", f"{subtract} r3, {acc}, r3", f"sel {acc}, r2, r0"]
                continue
            yield from ["ldmia r1!, {r3, lr}", f"{subtract} r3, {acc}, r3", "sel r3, r2, r0"]
            yield f"{subtract} lr, {acc}, lr"
            if self.levels == 2:
                yield f"sel {acc}, r12, r3"
                continue
            yield from ["sel r3, r12, r3", "ldr lr, [r1], #4", f"{subtract} lr, {acc}, lr"]
            yield from [f"mov lr, #0x{codes[3]:08x}", f"sel {acc}, lr, r3"]
        if walk.lanes and walk.dsp:
            yield note(
                "4 channels by 4 lanes of bytes change places"
                if len(walk.lanes) == 4
                else "bytes of each lane"
            )
            yield from [*transpose2.store(walk, accs, text2.Y + 4), "pop {r0}"]
            return
        yield from ["pop {r0}", *text2.codes(walk, accs, lower=False)]

    def cycles(self) -> Cycles:
        return Cycles(thumb1=0, thumb2=3 * self.levels, helium=1 + 3 * self.levels)

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        """Whole thresholds, channel by channel."""
        limits = self.limits[:, group.first : group.first + group.size]
        return [word * ones for word in limits.T.ravel().tolist()]
