"""Requantize in form B: y = clamp((S * m + b) >> s, 0, 2^n - 1) + lo, one lane after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from edgeternary.c.lanes import text1, text2, text_helium
from edgeternary.c.lanes.after.base import Case, Cycles, LaneWise
from edgeternary.c.lanes.after.requantize import clamp_bits, half
from edgeternary.c.lanes.program import Group, Wide
from edgeternary.c.lanes.walk import Walk
from edgeternary.cores import Core
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Requantize

EDGE = 2**15  # a lane is a signed number of 16 bits, and so is m
C_WORD, C_SCALED = 8, 14  # cycles of a word in C; of a product, a shift and a clamp in each of its two lanes


@dataclass(frozen=True, kw_only=True)
class Scale(LaneWise):
    """A lane of B bits holds S - mid + 2^(B-1), where mid is the middle of the interval.

    shift  (C,) s;  top  n;  factors  (2, C) m, and what is added to the product
    dsp    whether the core multiplies halves of words
    """

    kind = "scale"
    formula = "y = clamp((sum * m + b) >> s, 0, 2^n - 1), one lane after the other"
    spare = True
    y_stays2 = True

    shift: Wide
    top: int
    factors: Wide
    dsp: bool = False

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        q, reach, low, high = case.follow, case.reach, case.low, case.high
        if not isinstance(q, Requantize) or case.drop:
            return None
        top, s, m = clamp_bits(q, reach, case.out), q.s.astype(np.int64), q.m.astype(np.int64)
        if np.abs(m).max() <= 1:
            m = np.ones_like(m)  # the weights have it in them
        added = m * reach.offset + q.b + half(q) + (np.int64(q.zero - q.lo) << s)
        m = m * reach.unit
        mid, edge = (low + high + 1) // 2, 2 ** (reach.bits - 1)
        if not top or np.abs(m).max() >= edge or (low - mid).min() < -edge or (high - mid).max() >= edge:
            return None
        added = added + m * mid
        ends = np.stack([added, m * (low - mid) + added, m * (high - mid) + added])
        if ends.min() < INT32_LO or ends.max() > INT32_HI:
            return None
        factors = np.stack([m, added])
        return cls(start=edge - mid, shift=s, top=top, factors=factors, dsp=case.core.dsp)

    def alike(self) -> Self | None:
        """(S m + b) >> s = (S m 2^d + b 2^d) >> (s + d): the largest shift for all channels."""
        raised = self.shift.max() - self.shift
        factors = self.factors << raised
        m, b = np.abs(factors)
        if m.max() >= EDGE or (b + m * EDGE).max() > INT32_HI:
            return None
        return replace(self, shift=np.full_like(self.shift, self.shift.max()), factors=factors)

    def word_c(self, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
        """Each lane is a signed number with its highest bit inverted."""
        m, b = (f"(int32_t)k[{group.size + 2 * i + j}]" for j in range(2))
        lanes = []
        for shift in (0, bits):
            number = f"((int32_t)(a{i} >> {shift} & 0x{2**bits - 1:x}u) - {2 ** (bits - 1)})"
            scaled = f"({number} * {m} + {b}) >> {self.shift[group.first + i]}"
            lanes.append(f"(uint32_t)CLAMP({scaled}, 0, {2**self.top - 1})")
        yield f"v = {lanes[0]};"
        yield f"a{i} = v | {lanes[1]} << {bits};"

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        """r2, r3: the two lanes; r6: constants; r7: the largest number, beyond which ~x >> 31 clamps."""
        yield from text1.prepare(walk)
        yield from [*text1.add("r6", 4 * group.size, "r2"), *text1.constant("r7", 2**self.top - 1)]
        for i in range(group.size):
            s = self.shift[group.first + i]
            yield from [f"ldr r1, [sp, #{text1.SUMS + 4 * i}]", "lsls r4, r4, #15", "eors r1, r4"]
            yield from ["lsrs r4, r4, #15", "sxth r2, r1", "asrs r3, r1, #16", "ldmia r6!, {r1}"]
            yield from ["muls r2, r1", "muls r3, r1", "ldmia r6!, {r1}"]
            for lane in ("r2", "r3"):
                yield from [f"adds {lane}, {lane}, r1", *([f"asrs {lane}, {lane}, #{s}"] if s else [])]
                yield from [f"cmp {lane}, r7", "bls 9f", f"mvns {lane}, {lane}", f"asrs {lane}, {lane}, #31"]
                yield from [f"ands {lane}, r7", "9:"]
            yield from ["lsls r3, r3, #16", "orrs r3, r2", "movs r1, r3", *text1.store(i, walk)]

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        yield from self._thumb2(group, walk, accs, "push {r0}")
        yield "pop {r0}"

    def routine2(self, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        yield from self._thumb2(group, walk, accs, "push {r0, lr}")
        yield "pop {r0, pc}"

    def _thumb2(self, group: Group, walk: Walk, accs: Sequence[str], saved: str) -> Iterator[str]:
        """r0 (saved): constants; r2, r3: multiplier, what is added; r12: a lane; lr: the high y."""
        yield from [f"ldr r2, [sp, #{text2.K}]", f"ldr r1, [sp, #{text2.Y}]", saved]
        yield from text2.sum_to("r0", "r2", 4 * group.size, "r3")
        if walk.lanes:
            yield from text2.sum_to("lr", "r1", walk.lanes[1], "r3")
        for i, acc in enumerate(accs):
            s, top = int(self.shift[group.first + i]), self.top
            shifted = f", asr #{s}" if s else ""
            yield from [f"eor {acc}, {acc}, #0x80008000", "ldmia r0!, {r2, r3}"]
            if walk.dsp:
                yield from [f"smlabb r12, {acc}, r2, r3", f"smlatb {acc}, {acc}, r2, r3"]
            else:
                yield from [f"sxth r12, {acc}", "mla r12, r12, r2, r3"]
                yield from [f"asr {acc}, {acc}, #16", f"mla {acc}, {acc}, r2, r3"]
            yield from [f"usat r12, #{top}, r12{shifted}", f"usat {acc}, #{top}, {acc}{shifted}"]
            if walk.lanes:
                yield from [*text2.raised("r12", walk.low), f"strb r12, [r1, #{i}]"]
                yield from [*text2.raised(acc, walk.low), f"strb {acc}, [lr, #{i}]"]
            else:
                yield f"orr {acc}, r12, {acc}, lsl #16"
        if not walk.lanes:
            yield from text2.store(accs, "r1")

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """Even and odd lanes become 32 bits each; the sum of S * m and a constant is shifted and clamped."""
        yield from text_helium.store_head(walk)
        for i, acc in enumerate(accs):
            s, rest = int(self.shift[group.first + i]), 16 - self.top
            yield from ["mov r5, #0x8000", f"vadd.i16 {acc}, {acc}, r5"]
            yield from [f"ldrd r5, r6, [r2, #{4 * (group.size + 2 * i)}]"]
            yield from [f"vmovlb.s16 q0, {acc}", f"vmovlt.s16 {acc}, {acc}"]
            for register in ("q0", acc):
                yield from [f"vmul.i32 {register}, {register}, r5", f"vadd.i32 {register}, {register}, r6"]
                if s:
                    yield f"vshr.s32 {register}, {register}, #{s}"
            yield from ["vqmovunb.s32 q0, q0", f"vqmovunt.s32 q0, {acc}"]
            yield from [f"vqshl.u16 q0, q0, #{rest}", f"vshr.u16 q0, q0, #{rest}"]
            yield from text_helium.store(walk, i, "q0")
        yield from text_helium.store_tail(walk, len(accs))

    def cycles(self) -> Cycles:
        return Cycles(thumb1=28, thumb2=6 if self.dsp else 9.5, helium=13)

    def cycles_c(self, core: Core) -> float:
        return C_WORD + C_SCALED * (2 if core.thumb1 else 1)

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        """For each channel the multiplier and what is added to the product."""
        channels = slice(group.first, group.first + group.size)
        return [word % 2**32 for word in self.factors[:, channels].T.ravel().tolist()]
