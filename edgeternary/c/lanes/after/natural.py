"""Requantize in form A from lanes of 16 bits to bytes of natural layout.

    y = clamp((S + b) >> s, lo, hi)        lo .. hi are all numbers of n bits, two's complement or unsigned

The lane holds S + b + 2^15. Where the real weights prove that (S + b) >> s never leaves [lo, hi], the byte is
in the bits s .. s + 7 of the lane, and nothing is clamped: most layers with few weights an output are like
that. Elsewhere cores with saturating instructions saturate first. The others hold S + b - (first << s), where
`first` is the smallest shifted sum, and a table says what each shifted sum becomes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import text1, text2
from edgeternary.c.lanes.after import natural2
from edgeternary.c.lanes.after.base import After, Case, Cycles
from edgeternary.c.lanes.after.requantize import clamp_bits, moved
from edgeternary.c.lanes.program import Group, Wide
from edgeternary.c.lanes.walk import Walk
from edgeternary.ops import Requantize

EDGE = 2**15
MOST = 2**16  # of a lane
MAX_SHIFT = 7  # so that the byte lies below the highest bit of a lane
MAX_CODES = 2048
CODES, X, SUM = text1.FIRST + text1.PUSHED, text1.APART + 4, text1.APART + 8  # in the frame of Thumb-1


@dataclass(frozen=True, kw_only=True)
class Bytes(After):
    """shift  (C,) s;  top  n;  hard  (C,) whether a shifted sum can leave [lo, hi]"""

    kind = "bytes"
    formula = "y = clamp((sum + b) >> s, lo, hi), as bytes of natural layout"
    stores = True
    y_stays1 = True
    y_stays2 = True

    shift: Wide
    top: int
    hard: Wide

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        """None also for lanes, for vector registers, and for tables of more than MAX_CODES."""
        q, reach = case.follow, case.reach
        if not case.natural or case.core.vectors:
            return None
        if not isinstance(q, Requantize) or np.abs(q.m).max() > 1:
            return None
        top, found = clamp_bits(q, reach, case.out), moved(q, reach, case.drop)
        if not top or found is None or q.lo not in (0, -(1 << top - 1)):
            return None
        b, s = found
        floor, ceiling = np.int64(q.lo) << s, np.int64(q.hi + 1) << s
        b = np.where(case.high + b < floor, floor - case.high, b)  # always below
        b = np.where(case.low + b >= ceiling, ceiling - 1 - case.low, b)  # always above
        low, high = case.low + b, case.high + b
        hard = (low < floor) | (high >= ceiling)
        outside = (s > MAX_SHIFT) | (low < -EDGE) | (high >= EDGE)
        if not case.core.thumb1:  # saturating instructions
            if outside.any():
                return None
            return cls(start=b + EDGE, shift=s, top=top, hard=hard.astype(np.int64))
        hard = hard | outside
        first, last = _shifted(low, high, s, hard)
        start = np.where(hard, b - (np.int64(first) << s), b + EDGE)
        if last - first >= MAX_CODES or (high + start - b).max() >= MOST or s.max() > MAX_SHIFT + 8:
            return None
        codes = np.arange(first, last + 1).clip(q.lo, q.hi).astype(np.int32) if hard.any() else None
        return cls(start=start, codes=codes, shift=s, top=top, hard=hard.astype(np.int64))

    def c(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        """Each lane is a signed number with its highest bit inverted, or an index into the codes."""
        lo = walk.low
        for i in range(group.size):
            s, hard = int(self.shift[group.first + i]), bool(self.hard[group.first + i])
            for lane, apart in enumerate(walk.lanes):
                number = f"(a{i} >> {walk.bits})" if lane else f"(a{i} & 0x{2**walk.bits - 1:x}u)"
                shifted = f"((int32_t){number} - {2 ** (walk.bits - 1)}) >> {s}"
                if hard and self.codes is not None:
                    shifted = f"codes[{number} >> {s}]"
                elif hard:
                    shifted = f"CLAMP({shifted}, {lo}, {lo + 2**self.top - 1})"
                yield f"y[{apart + i}] = ({'int8_t' if lo else 'uint8_t'})({shifted});"

    def entry1(self, walk: Walk) -> list[str]:
        return [*text1.constant("r4", walk.lanes[1]), f"str r4, [sp, #{text1.APART}]"]

    def saved1(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        return ()  # from the registers at once

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        """r0: the codes, while the words of the input wait in the frame; r1, r2: y of the two lanes;
        r3-r7: sums, of which the fifth waits in the frame where codes are looked up.
        """
        low, hard = text1.LOW, self.hard[group.first : group.first + group.size].any()
        yield from [f"ldr r1, [sp, #{text1.Y}]", f"ldr r2, [sp, #{text1.APART}]", "adds r2, r2, r1"]
        direct, spare = min(group.size, len(low)), low[-1]
        waiting = hard and direct == len(low)
        if hard:
            yield from [f"str r0, [sp, #{X}]", f"ldr r0, [sp, #{CODES}]"]
        if waiting:
            direct -= 1
            yield f"str {spare}, [sp, #{SUM}]"
        for i in range(direct):
            yield from self._bytes1(group, i, low[i], spare)
        for i in range(direct, group.size):
            if i < len(low):
                yield f"ldr {low[0]}, [sp, #{SUM}]"
            else:
                yield from text1.difference(i, group.parts[-1], low[0], low[1])
            yield from self._bytes1(group, i, low[0], spare)
        if hard:
            yield f"ldr r0, [sp, #{X}]"

    def _bytes1(self, group: Group, i: int, sum: str, spare: str) -> Iterator[str]:
        s = int(self.shift[group.first + i])
        shifted = f"lsrs {{0}}, {{0}}, #{s}"
        if self.hard[group.first + i]:
            yield from [f"uxth {spare}, {sum}", *([shifted.format(spare)] if s else [])]
            yield from [f"ldrb {spare}, [r0, {spare}]", f"strb {spare}, [r1, #{i}]"]
            yield from [f"lsrs {sum}, {sum}, #{16 + s}", f"ldrb {sum}, [r0, {sum}]"]
            yield f"strb {sum}, [r2, #{i}]"
            return
        yield from [shifted.format(sum)] if s else []
        yield from [f"strb {sum}, [r1, #{i}]", f"lsrs {sum}, {sum}, #16", f"strb {sum}, [r2, #{i}]"]

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        channels = slice(group.first, group.first + group.size)
        sums = natural2.Sums(accs, self.shift[channels].tolist(), self.hard[channels].tolist(), self.top)
        yield from [f"ldr r1, [sp, #{text2.Y}]", *natural2.store(sums, walk)]

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterable[str]:
        raise NotImplementedError("vector registers take Shift")

    def cycles(self) -> Cycles:
        hard = float(self.hard.mean())
        return Cycles(thumb1=7 + 5 * hard, thumb2=2.5 + 2 * hard, helium=0)

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        return []


def _shifted(low: Wide, high: Wide, s: Wide, hard: NDArray[np.bool_]) -> tuple[int, int]:
    """The smallest and the largest shifted sum of the hard channels."""
    if not hard.any():
        return 0, 0
    return int((low >> s)[hard].min()), int((high >> s)[hard].max())
