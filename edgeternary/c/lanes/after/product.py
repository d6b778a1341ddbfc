"""Requantize by a product of 32 bits: y = clamp((S * m + b) >> s, 0, 2^n - 1) + lo, forms A and B."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeternary.c.lanes import text1
from edgeternary.c.lanes.after.base import Case, Cycles
from edgeternary.c.lanes.after.requantize import clamp_bits, half
from edgeternary.c.lanes.after.scaling import Scaling
from edgeternary.c.lanes.program import Wide
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Requantize


@dataclass(frozen=True)
class Product(Scaling):
    """m, b, s (C,);  top  n"""

    m: Wide
    b: Wide
    s: Wide
    top: int

    @property
    def width(self) -> int:
        return 2

    def columns(self, channels: range, offset: Wide) -> list[Wide]:
        own = slice(channels.start, channels.stop)
        return [self.m[own], self.b[own] + self.m[own] * offset]

    def c(self, total: str, k: Sequence[str], channel: int) -> tuple[list[str], str]:
        product = f"(int32_t)(({total}) * {k[0]} + {k[1]})"
        return [], f"CLAMP({product} >> {self.s[channel]}, {self.ends(self.top)})"

    def head1(self) -> Iterator[str]:
        yield from text1.constant("r7", 2**self.top - 1)

    def thumb1(self, channel: int) -> Iterator[str]:
        s = self.s[channel]
        yield from ["ldmia r6!, {r1, r4}"]
        if self.m[channel] != 1:
            yield from ["muls r2, r1", "muls r3, r1"]
        for lane in ("r2", "r3"):
            yield from [f"adds {lane}, {lane}, r4", *([f"asrs {lane}, {lane}, #{s}"] if s else [])]
            yield from [f"cmp {lane}, r7", "bls 9f", f"mvns {lane}, {lane}", f"asrs {lane}, {lane}, #31"]
            yield from [f"ands {lane}, r7", "9:"]

    def thumb2(self, channel: int, lanes: tuple[str, str]) -> Iterator[str]:
        s = f", asr #{self.s[channel]}" if self.s[channel] else ""
        name = "ssat" if self.low else "usat"
        yield "ldmia r0!, {r2, r3}"
        for lane in lanes:
            yield f"add {lane}, r3" if self.m[channel] == 1 else f"mla {lane}, {lane}, r2, r3"
        yield from (f"{name} {lane}, #{self.top}, {lane}{s}" for lane in lanes)

    def cycles(self) -> Cycles:
        return Cycles(thumb1=18, thumb2=9, helium=0)


def plan(case: Case) -> Product | None:
    """None for other forms, and where codes are not all numbers of n bits."""
    q, reach = case.follow, case.reach
    if not isinstance(q, Requantize):
        return None
    top, s, m = clamp_bits(q, reach, case.out), q.s.astype(np.int64), q.m.astype(np.int64)
    if np.abs(m).max() <= 1:
        m = np.ones_like(m)  # the weights have it in them
    if not top or q.lo not in (0, -(1 << top - 1)) or np.abs(m).max() >= 1 << 15:
        return None
    low = q.lo if case.natural and not case.core.thumb1 else 0
    b = m * reach.offset + q.b + half(q) + (np.int64(q.zero - q.lo + low) << s)
    m = m * reach.unit
    ends = np.stack([b, m * case.low + b, m * case.high + b])
    if ends[1:].min() < INT32_LO or ends[1:].max() > INT32_HI:
        return None
    return Product(low, q.lo, m, b, s, top)
