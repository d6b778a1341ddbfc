"""Requantize by the high word of a product of 64 bits, form C on Thumb-2; see `c/rescale/high`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeternary.c.lanes.after.base import Case, Cycles
from edgeternary.c.lanes.after.requantize import clamp_bits
from edgeternary.c.lanes.after.scaling import Scaling
from edgeternary.c.lanes.program import Wide
from edgeternary.c.rescale import high as rescale_high
from edgeternary.c.rescale.high import WORD, High
from edgeternary.ops import Requantize

SIGNED, PLAIN = 20, 14  # cycles with the sign of the sum and without
SLOW = 10  # more cycles of two long products on a core without DSP


@dataclass(frozen=True)
class Long(Scaling):
    """high    m, start and shift
    offset  (C,) an accumulator is L + offset
    top     n
    dsp     whether the core has DSP, and short long products
    """

    high: High
    offset: Wide
    top: int
    dsp: bool

    @property
    def width(self) -> int:
        return 4 if self.high.signs else 3

    def columns(self, channels: range, offset: Wide) -> list[Wide]:
        own = slice(channels.start, channels.stop)
        m, total = self.high.m[own], self.offset[own] + offset
        start = self.high.start[own] + (np.int64(self.low - self.lowest) << WORD + self.high.shift[own])
        start = start if self.high.signs else start + m * total
        words = [start & 0xFFFFFFFF, start >> WORD, m]
        return [total, *words] if self.high.signs else words

    def c(self, total: str, k: Sequence[str], channel: int) -> tuple[list[str], str]:
        signed = self.high.signs
        low, up, m = k[-3:]
        lines = [f"v = {total}{f' + {k[0]}' if signed else ''};"]
        start = f"(int64_t)((uint64_t){up} << 32 | {low})"
        number = f"(int32_t)(((int64_t)(int32_t)v * (int32_t){m} + {start}) >> 32)"
        number += " + (int32_t)v" * self.high.wraps + " + ((int32_t)v >> 31)" * signed
        shift = self.high.shift[channel]
        return lines, f"CLAMP({f'({number}) >> {shift}' if shift else number}, {self.ends(self.top)})"

    def head1(self) -> Iterator[str]:
        raise NotImplementedError("Armv6-M has no product of 64 bits")

    def thumb1(self, channel: int) -> Iterator[str]:
        raise NotImplementedError("Armv6-M has no product of 64 bits")

    def thumb2(self, channel: int, lanes: tuple[str, str]) -> Iterator[str]:
        signed, shift = self.high.signs, self.high.shift[channel]
        if signed:
            yield from ["ldr r2, [r0], #4", *(f"add {lane}, r2" for lane in lanes)]
        for lane, load in zip(lanes, ("ldmia r0!, {r2, r3, lr}", "ldrd r2, r3, [r0, #-12]"), strict=True):
            yield from [load, f"smlal r2, r3, {lane}, lr"]
            yield from [f"add r3, r3, {lane}, asr #31"] if signed else []
            yield from [f"add r3, {lane}"] if self.high.wraps else []
            name, shifted = "ssat" if self.low else "usat", f", asr #{shift}" if shift else ""
            yield f"{name} {lane}, #{self.top}, r3{shifted}"

    def cycles(self) -> Cycles:
        own = (SIGNED if self.high.signs else PLAIN) + (0 if self.dsp else SLOW)
        return Cycles(thumb1=0, thumb2=own, helium=0)


def plan(case: Case) -> Long | None:
    """None for other forms, on Thumb-1, and where codes are not all numbers of n bits."""
    q, reach, acc = case.follow, case.reach, case.acc
    if not isinstance(q, Requantize) or acc is None or case.core.thumb1 or reach.unit != 1:
        return None
    top = clamp_bits(q, reach, case.out, any_rounding=True)
    if not top or np.abs(q.m).max() <= 1:
        return None
    high = rescale_high.high(q, acc)
    if high is None or high.shift.max() >= WORD:
        return None
    return Long(q.lo if case.natural else 0, q.lo, high, reach.offset, top, case.core.dsp)
