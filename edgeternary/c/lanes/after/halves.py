"""Thresholds of sums that are too long for a lane of B bits, in two parts P and Q that are not.

Constants p and q keep P + p and Q + q in [0, 2^B). Half of their sum, H = (P + p + Q + q) >> 1, needs no more
than B bits, and is made in all lanes at once: (x & y) + ((x ^ y) >> 1). With s = p + q, for whole numbers

    P + Q >= t   where   H >= (t + s) / 2                                            t + s even
                         H + ((x ^ y) & 1) >= (t + s + 1) / 2, half of it rounded up  t + s odd

s = 2^B - t[0] makes the highest bit of H the first comparison. Where that s, or what later comparisons
subtract, would leave a lane, s is minus the smallest sum, and all bits of H are compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import text1, text2, text_helium
from edgeternary.c.lanes.after import count1
from edgeternary.c.lanes.after.base import Case, Cycles, Reach, part_start
from edgeternary.c.lanes.after.compared import Compared, thresholds
from edgeternary.c.lanes.program import Group, Wide, weights
from edgeternary.c.lanes.text_c import stored
from edgeternary.c.lanes.text_helium import FRAME, SAVED
from edgeternary.c.lanes.walk import Walk

PARTS = 2
MAX_LEVELS = 3


@dataclass(frozen=True, kw_only=True)
class Halves(Compared):
    """start  s;  limits  of half the sum
    odd    (levels, C) 1 where the sum is rounded up before it is halved
    """

    kind = "halves"
    formula = "y = the number of thresholds that half of the sum of both parts reaches"
    parts = (PARTS, PARTS)
    spare = True

    odd: Wide

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        """None also where sums are too long for two parts."""
        low, high, most = case.low, case.high, 2**case.reach.bits - 1
        if (high - low).max() >= PARTS * most - 1:
            return None
        t = thresholds(case)
        if t is None or t.shape[1] > MAX_LEVELS:
            return None
        easy = _easy(t, low, high, most)
        start = np.where(easy, most + 1 - t[:, 0], -low)
        above = np.where(easy[:, None], t - t[:, :1], t - low[:, None])
        odd = above % 2
        limits, hard = ((above + odd) // 2).T, (~easy).astype(np.int64)
        return cls(start=start, limits=limits, hard=hard, odd=odd.T)

    def odds(self, channel: int) -> list[bool]:
        return self.odd[:, channel].astype(bool).tolist()

    def reached(self, channel: int, bits: int) -> list[int]:
        """Half of the sum, rounded up or down as `odds` says."""
        first = 0 if self.hard[channel] else 2 ** (bits - 1)
        return [first + limit for limit in self.limits[:, channel].tolist()]

    def starts(self, group: Group, reach: Reach) -> list[int]:
        """p of each output, then q: the smallest ones, and what s has beyond them, first in p."""
        lows = [part_start(group, part, reach) for part in range(PARTS)]
        starts = super().starts(group, reach)
        first = []
        for i, start in enumerate(starts):
            total = sum(abs(weight) for index, weight in weights(group.parts[0]) if index == i)
            room = 2**reach.bits - 1 - total * (reach.hi - reach.lo)
            first.append(lows[0][i] + min(start - lows[0][i] - lows[1][i], room))
        return first + [start - p for start, p in zip(starts, first, strict=True)]

    def kept(self, group: Group) -> int:
        return PARTS - 1

    def c(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        if part == 0:
            yield f"uint32_t {', '.join(f'b{i} = a{i}' for i in range(group.size))};"
            return
        for i in range(group.size):
            yield from [*self.word_c(group, i, walk.bits, walk.ones), *stored(i, walk)]

    def word_c(self, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
        """a: half of a + b, rounded down; b: rounded up."""
        odd = self.odds(group.first + i)
        yield f"v = a{i} & b{i};"
        yield f"b{i} ^= a{i};"
        yield f"a{i} = v + ((b{i} >> 1) & 0x{((1 << (bits - 1)) - 1) * ones:x}u);"
        if any(odd):
            yield f"b{i} = a{i} + (b{i} & 0x{ones:x}u);"
        terms = []
        for level, up in enumerate(odd):
            half, k = f"{'b' if up else 'a'}{i}", f"k[{(2 + level) * group.size + i}]"
            compared = f"{half} - {k}"
            if self.hard[group.first + i]:
                sign = "&" if self.limits[level, group.first + i] >> (bits - 1) else "|"
                compared = f"(({half} | 0x{ones << (bits - 1):x}u) - {k}) {sign} {half}"
            terms.append(f"((({compared}) >> {bits - 1}) & 0x{ones:x}u)")
        yield f"a{i} = {' + '.join(terms)};"

    def saved1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        if part == 0:
            yield from text1.low_sums(group.size, text1.FIRST)
            yield from text1.high_sums(group.size, group.parts[0])
            return
        yield from count1.saved(group, part, walk)

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        return count1.counted(self, group, walk, lambda i: self._halved1(group, i, walk)) if part else ()

    def _halved1(self, group: Group, i: int, walk: Walk) -> list[str]:
        """r3: half of r3 and of output i of the first part; r2: the bit that is lost, if that is compared."""
        lost = [f"lsrs r2, r6, #{walk.bits - 1}", "ands r2, r5"] if any(self.odds(group.first + i)) else []
        first = [f"ldr r4, [sp, #{text1.FIRST + 4 * i}]", "movs r5, r3", "eors r5, r4", "ands r3, r4"]
        return [*first, *lost, "lsrs r5, r5, #1", "bics r5, r6", "adds r3, r3, r5"]

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """r1: the constants; r0 (restored) counts; r12: half, rounded up where it is not whole."""
        if part == 0:
            yield from [f"add r1, sp, #{text2.FIRST}", *text2.store(accs, "r1")]
            return
        tops, ones, by = f"#0x{walk.ones << (walk.bits - 1):08x}", f"#0x{walk.ones:08x}", walk.bits - 1
        yield from [f"ldr r1, [sp, #{text2.K}]", "push {r0}"]
        for i, acc in enumerate(accs):
            odd, hard = self.odds(group.first + i), bool(self.hard[group.first + i])
            yield f"ldr r2, [sp, #{4 + text2.FIRST + 4 * i}]"
            if any(odd):
                yield from [f"eor r12, {acc}, r2", f"and r12, r12, {ones}"]
            if walk.dsp:
                yield f"uhadd{walk.bits} {acc}, {acc}, r2"
            else:
                yield from [f"eor r3, {acc}, r2", f"and {acc}, {acc}, r2", "lsr r3, r3, #1"]
                yield from [f"bic r3, r3, {tops}", f"add {acc}, {acc}, r3"]
            if any(odd):
                yield f"add r12, r12, {acc}"
            for level, up in enumerate(odd):
                half = "r12" if up else acc
                source = half
                if hard or level:
                    yield f"ldr r3, [r1, #{4 * ((2 + level) * group.size + i)}]"
                    yield from [f"orr r2, {half}, {tops}"] if hard else []
                    yield f"sub{'s r3, r2' if hard else f' r3, {half}'}, r3"
                    source = "r3"
                if hard:
                    name = "and" if self.limits[level, group.first + i] >> by else "orr"
                    yield f"{name} r3, r3, {half}"
                yield f"and r3, {source}, {tops}"
                yield f"add r0, r0, r3, lsr #{by}" if level else f"lsr r0, r3, #{by}"
            yield f"mov {acc}, r0"
        yield from ["pop {r0}", *text2.codes(walk, accs)]

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """q0, q7: half of the sum, rounded down and up; the first parts wait in the frame."""
        if part == 0:
            yield from (f"vstrw.32 {acc}, [sp, #{FRAME + SAVED * i}]" for i, acc in enumerate(accs))
            return
        yield from [*text_helium.store_head(walk), f"movs r6, #{walk.unit}"]
        for i, acc in enumerate(accs):
            odd = self.odds(group.first + i)
            yield f"vldrw.u32 q0, [sp, #{FRAME + SAVED * i}]"
            yield from [f"vrhadd.u{walk.bits} q7, q0, {acc}"] if any(odd) else []
            yield from [f"vhadd.u{walk.bits} q0, q0, {acc}"] if not all(odd) else []
            yield f"vmov.i32 {acc}, #0"
            for up, limit in zip(odd, self.reached(group.first + i, walk.bits), strict=True):
                if limit < 2**walk.bits:  # the others are never reached
                    half = "q7" if up else "q0"
                    yield f"movw r5, #{limit}"
                    yield f"vpt.u{walk.bits} cs, {half}, r5; vaddt.i{walk.bits} {acc}, {acc}, r6"
            if any(odd) and not walk.lanes:
                yield from text_helium.store_head(walk)  # q7 again
            yield from text_helium.store(walk, i, acc)
        yield from text_helium.store_tail(walk, len(accs))

    def cycles(self) -> Cycles:
        levels = self.levels
        return Cycles(thumb1=9 + 5 * levels, thumb2=4 + 2 + 5 * (levels - 1), helium=4.5 + 3 * levels)


def _easy(t: Wide, low: Wide, high: Wide, most: int) -> NDArray[np.bool_]:
    """(C,): whether a channel's lanes hold H, and what all comparisons leave of it."""
    s = most + 1 - t[:, 0]
    return (low + s >= t.max(axis=1) - t[:, 0]) & (high + s <= PARTS * most)
