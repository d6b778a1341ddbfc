"""Requantize by products of 32 bits in parts, form C on Thumb-1; see `c/rescale/parts`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeternary.c.lanes.after.base import Case, Cycles
from edgeternary.c.lanes.after.requantize import clamp_bits
from edgeternary.c.lanes.after.scaling import Scaling
from edgeternary.c.lanes.program import Wide
from edgeternary.c.rescale import parts as rescale_parts
from edgeternary.c.rescale.parts import Parts
from edgeternary.ops import Requantize

FIRST, PART, SIGNS = 34, 10, 14  # cycles of a word: with one part, for each other part, for signs


@dataclass(frozen=True)
class Split(Scaling):
    """parts  the line;  offset  (C,) an accumulator is L + offset;  top  n

    Constants: from L to d, the range, m in parts, b; what makes an accumulator of d and what is taken off b
    where that is negative; lower bits of b.
    """

    parts: Parts
    offset: Wide
    top: int

    @property
    def width(self) -> int:
        return 3 + self.parts.count + 2 * self.parts.signs + self.parts.fine

    @property
    def shift(self) -> int:
        return self.parts.lines.s - self.parts.h * (self.parts.count - 1)

    def columns(self, channels: range, offset: Wide) -> list[Wide]:
        own, line, h = slice(channels.start, channels.stop), self.parts.lines, self.parts.h
        a, low, mask = self.parts.a[own], h * (self.parts.count - 1), (1 << h) - 1
        found = [self.offset[own] + offset - a, self.parts.range[own]]
        found += [line.m[own] >> h * k & mask for k in range(self.parts.count - 1)]
        found += [line.m[own] >> low, line.b[own] >> low]
        found += [a, line.less[own] >> low] if self.parts.signs else []
        return found + ([line.b[own] >> low - h & mask] if self.parts.fine else [])

    def c(self, total: str, k: Sequence[str], channel: int) -> tuple[list[str], str]:
        count, most = self.parts.count, 2**self.top - 1
        number = f"v * {k[2]}"
        for part in range(1, count):
            fine = f" + {k[-1]}" if self.parts.fine and part == count - 1 else ""
            number = f"(({number}{fine}) >> {self.parts.h}) + v * {k[2 + part]}"
        number += f" + {k[2 + count]}"
        if self.parts.signs:
            number += f" - ((uint32_t)((int32_t)(v + {k[3 + count]}) >> 31) & {k[4 + count]})"
        inside = f"(int32_t)({number}) >> {self.shift}"
        return [f"v = {total} + {k[0]};"], f"(v > {k[1]} ? ((int32_t)v < 0 ? 0 : {most}) : {inside})"

    def head1(self) -> Iterator[str]:
        yield from ()

    def thumb1(self, channel: int) -> Iterator[str]:
        """r1: the product; r4, r7: temporaries. Beyond the range ~d >> 31 is all bits or none."""
        count, h = self.parts.count, self.parts.h
        for lane in ("r2", "r3"):
            yield from [
                "ldr r1, [r6]",
                f"adds {lane}, {lane}, r1",
                "ldr r1, [r6, #4]",
                f"cmp {lane}, r1",
                "bhi 8f",
            ]
            yield from ["ldr r1, [r6, #8]", f"muls r1, {lane}"]
            for part in range(1, count):
                if self.parts.fine and part == count - 1:
                    yield from [f"ldr r4, [r6, #{4 * (self.width - 1)}]", "adds r1, r1, r4"]
                yield from [f"ldr r4, [r6, #{8 + 4 * part}]", f"muls r4, {lane}"]
                yield from [f"lsrs r1, r1, #{h}", "adds r1, r1, r4"]
            yield from [f"ldr r4, [r6, #{8 + 4 * count}]", "adds r1, r1, r4"]
            if self.parts.signs:
                yield from [f"ldr r4, [r6, #{12 + 4 * count}]", f"adds r4, r4, {lane}", "asrs r4, r4, #31"]
                yield from [f"ldr r7, [r6, #{16 + 4 * count}]", "ands r4, r7", "subs r1, r1, r4"]
            yield from [f"asrs {lane}, r1, #{self.shift}", "b 9f"]
            yield from [
                "8:",
                f"mvns {lane}, {lane}",
                f"asrs {lane}, {lane}, #31",
                f"lsrs {lane}, {lane}, #{32 - self.top}",
            ]
            yield "9:"
        yield f"adds r6, #{4 * self.width}"

    def thumb2(self, channel: int, lanes: tuple[str, str]) -> Iterator[str]:
        raise NotImplementedError("Thumb-2 has products of 64 bits")

    def cycles(self) -> Cycles:
        return Cycles(
            thumb1=FIRST + PART * (self.parts.count - 1) + SIGNS * self.parts.signs, thumb2=0, helium=0
        )


def plan(case: Case) -> Split | None:
    """None for other forms, on Thumb-2, and where codes are not all numbers of n bits."""
    q, reach, acc = case.follow, case.reach, case.acc
    if not isinstance(q, Requantize) or acc is None or not case.core.thumb1 or reach.unit != 1:
        return None
    top = clamp_bits(q, reach, case.out, any_rounding=True)
    if not top or np.abs(q.m).max() <= 1:
        return None
    parts = rescale_parts.parts(q, acc)
    if parts is None or not 0 < parts.lines.s - parts.h * (parts.count - 1) < 32:
        return None
    return Split(0, q.lo, parts, reach.offset, top)
