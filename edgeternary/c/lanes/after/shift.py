"""Requantize in form A: y = clamp((S + b) >> s, 0, 2^n - 1) + lo."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from edgeternary.c.lanes import text1, text2, text_helium
from edgeternary.c.lanes.after.base import Case, Cycles, LaneWise
from edgeternary.c.lanes.after.requantize import clamp_bits, moved
from edgeternary.c.lanes.program import Group, Wide
from edgeternary.c.lanes.walk import Walk
from edgeternary.cores import Core
from edgeternary.ops import Requantize

C_WORD_DSP, C_WORD1, C_WORD = 12, 26, 20  # cycles of a word in C: with USAT16, in Thumb-1, elsewhere


@dataclass(frozen=True, kw_only=True)
class Shift(LaneWise):
    """A lane of B bits holds S + b + 2^(B-1).

    shift  (C,) s;  top  n;  hard  (C,) whether a sum can exceed 2^(n + s)
    """

    kind = "shift"
    formula = "y = clamp((sum + b) >> s, 0, 2^n - 1) in every lane"
    y_stays2 = True
    has_dsp_c = True

    shift: Wide
    top: int
    hard: Wide

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        q, reach = case.follow, case.reach
        if not isinstance(q, Requantize):
            return None
        top, found = clamp_bits(q, reach, case.out), moved(q, reach, case.drop)
        if np.abs(q.m).max() > 1 or not top or found is None:
            return None
        b, s = found
        b = b - (np.int64(q.lo) << s)
        b = np.where(case.high + b < 0, -1 - case.high, b)  # always below: any negative number will do
        ceiling = np.int64(1) << (top + s)
        b = np.where(case.low + b >= ceiling, ceiling - case.low, b)  # always above
        edge = 2 ** (reach.bits - 1)
        if (case.low + b).min() < -edge or (case.high + b).max() >= edge or s.max() >= reach.bits - 1:
            return None
        return cls(start=b + edge, shift=s, top=top, hard=(case.high + b >= ceiling).astype(np.int64))

    def word_c(self, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
        """Lanes below 2^(bits-1) become 0, then the shift; lanes of 2^(top + s) and more become all ones."""
        s, top = int(self.shift[group.first + i]), self.top
        yield f"v = (a{i} >> {bits - 1}) & 0x{ones:x}u;"
        yield f"a{i} &= (v << {bits - 1}) - v;"
        mask = f"0x{ones * (2 ** min(top, bits - 1 - s) - 1):x}u"
        shifted = f"a{i} >> {s}" if s else f"a{i}"
        if self.hard[group.first + i]:
            yield f"v = ((a{i} + k[{group.size + i}]) >> {bits - 1}) & 0x{ones:x}u;"
            yield f"a{i} = (({shifted}) & {mask}) | ((v << {top}) - v);"
        else:
            yield f"a{i} = ({shifted}) & {mask};"

    def dsp_c(self, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
        """USAT16 takes two signed lanes."""
        s = int(self.shift[group.first + i])
        most = min(self.top + s, bits - 1)
        signed = f"a{i} ^ 0x{ones << (bits - 1):x}u"
        yield f'__asm__("usat16 %0, %1, %2" : "=r"(a{i}) : "I"({most}), "r"({signed}));'
        if s:
            yield f"a{i} = (a{i} >> {s}) & 0x{ones * (2 ** (most - s) - 1):x}u;"

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        yield from text1.prepare(walk)
        known, by = -1, walk.bits - 1
        for i in range(group.size):
            s, hard = int(self.shift[group.first + i]), bool(self.hard[group.first + i])
            width = min(self.top, by - s)
            if width != known:
                yield from text1.replicated("r7", 2**width - 1, walk, "r2")
                known = width
            yield from [f"ldr r1, [sp, #{text1.SUMS + 4 * i}]", f"lsrs r2, r1, #{by}", "ands r2, r4"]
            yield from [f"lsls r3, r2, #{by}", "subs r3, r3, r2", "ands r1, r3"]
            if hard:
                yield from text1.constant_of(group.size + i, "r2")
                yield from ["adds r2, r2, r1", f"lsrs r2, r2, #{by}", "ands r2, r4"]
                yield from [f"lsls r3, r2, #{self.top}", "subs r3, r3, r2"]
            yield from [f"lsrs r1, r1, #{s}"] if s else []
            yield from ["ands r1, r7", *(["orrs r1, r3"] if hard else []), *text1.store(i, walk)]

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """r1 points to the codes of the low lane and r2 to those of the high one, where y are codes."""
        yield f"ldr r1, [sp, #{text2.Y}]"
        if walk.lanes:
            yield from text2.sum_to("r2", "r1", walk.lanes[1], "r3")
        for i, acc in enumerate(accs):
            s, top = int(self.shift[group.first + i]), self.top
            most = min(top + s, walk.bits - 1)
            low = [f"sxth r3, {acc}", f"usat r3, #{top}, r3{f', asr #{s}' if s else ''}"]
            high = f"usat {acc}, #{top}, {acc}, asr #{16 + s}"
            yield f"eor {acc}, {acc}, #0x80008000"
            if walk.lanes:
                yield from [*low, *text2.raised("r3", walk.low), f"strb r3, [r1, #{i}]"]
                yield from [high, *text2.raised(acc, walk.low), f"strb {acc}, [r2, #{i}]"]
            elif walk.dsp:
                yield f"usat16 {acc}, #{most}, {acc}"
                if s:
                    yield f"lsr {acc}, {acc}, #{s}"
                    yield f"and {acc}, {acc}, #0x{(2 ** (most - s) - 1) * walk.ones:08x}"
            else:
                yield from [*low, high, f"orr {acc}, r3, {acc}, lsl #16"]
        if not walk.lanes:
            yield from text2.store(accs, "r1")

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """Lanes hold 2^15 more than the sum; what exceeds 2^top - 1 saturates at 16 bits."""
        yield from [*text_helium.store_head(walk), "mov r5, #0x8000"]
        for i, acc in enumerate(accs):
            s, top = int(self.shift[group.first + i]), self.top
            yield f"vqsub.u16 {acc}, {acc}, r5"
            if self.hard[group.first + i]:
                yield from [f"vqshl.u16 {acc}, {acc}, #{16 - top - s}", f"vshr.u16 {acc}, {acc}, #{16 - top}"]
            elif s:
                yield f"vshr.u16 {acc}, {acc}, #{s}"
            yield from text_helium.store(walk, i, acc)
        yield from text_helium.store_tail(walk, len(accs))

    def cycles(self) -> Cycles:
        return Cycles(thumb1=13, thumb2=4, helium=3)

    def cycles_c(self, core: Core) -> float:
        return C_WORD_DSP if core.dsp else C_WORD1 if core.thumb1 else C_WORD

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        """What makes the highest bit of a lane tell that a shifted sum is too large."""
        channels = slice(group.first, group.first + group.size)
        limits = 2 ** (bits - 1) - (np.int64(1) << (self.top + self.shift[channels]))
        return [word * ones % 2**32 for word in np.where(self.hard[channels], limits, 0).tolist()]
