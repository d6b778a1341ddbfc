"""Requantize of sums that are too long for a lane: parts of a sum, each in lanes of its own, are taken out of
their lanes and added as numbers of 32 bits, one lane after the other.

    L = sum over parts p of 2^place[p] * lane[p]      S = L - sum over p of 2^place[p] * start[p]

Parts before the last one wait in the frame. How S becomes a code is the matter of `Scaling`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from edgeternary.c.lanes import text1, text2
from edgeternary.c.lanes.after import long, product, split
from edgeternary.c.lanes.after.base import ANY, After, Case, Cycles, Reach, part_start
from edgeternary.c.lanes.after.scaling import Scaling
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.walk import Walk

REACH = 4095  # of the offset of a store
PARTS = 12  # that the frame of Thumb-1 may hold


@dataclass(frozen=True, kw_only=True)
class Wide(After):
    """scaling  how sums become codes;  pieces, placed  parts of a sum, and those at a place that is not 0"""

    kind = "wide"
    formula = (
        "y = clamp((sum * m + b) >> s, lo, hi), where a sum is that of all parts, one lane after the other"
    )
    parts = (1, ANY)
    spare = True
    stores = True
    y_stays2 = True

    scaling: Scaling
    reach: Reach
    pieces: float = 1
    placed: float = 0

    @classmethod
    def plan(cls, case: Case) -> Self | None:
        """None for vector registers, for lanes of few bits, and for what no scaling can do."""
        if case.core.vectors or case.drop or case.reach.bits != 16:
            return None
        scaling = product.plan(case) or long.plan(case) or split.plan(case)
        if scaling is None:
            return None
        return cls(start=np.zeros(len(case.low), np.int64), scaling=scaling, reach=case.reach)

    def starts(self, group: Group, reach: Reach) -> list[int]:
        return [start for part in range(len(group.parts)) for start in part_start(group, part, reach)]

    def kept(self, group: Group) -> int:
        return len(group.parts) - 1

    def says(self, last: bool) -> str:
        return self.formula if last else "these sums wait in the frame"

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        """Constants of the scaling, channel by channel, for sums L."""
        less = np.zeros(group.size, np.int64)
        for part, place in enumerate(group.places or (0,) * len(group.parts)):
            less += np.array(part_start(group, part, self.reach), np.int64) << place
        columns = self.scaling.columns(range(group.first, group.first + group.size), -less)
        return [word % 2**32 for word in np.stack(columns, axis=1).ravel().tolist()]

    def c(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        last = len(group.parts) - 1
        if part < last:
            yield f"const uint32_t {', '.join(f'p{part}_{i} = a{i}' for i in range(group.size))};"
            return
        places = _places(group)
        for i in range(group.size):
            k = [
                f"k[{group.size * len(group.parts) + self.scaling.width * i + j}]"
                for j in range(self.scaling.width)
            ]
            for lane in range(2):
                pieces = [*(f"p{p}_{i}" for p in range(last)), f"a{i}"]
                halves = [f"({piece} >> 16)" if lane else f"({piece} & 0xffffu)" for piece in pieces]
                terms = [f"({h} << {place})" if place else h for h, place in zip(halves, places, strict=True)]
                lines, code = self.scaling.c(" + ".join(terms), k, group.first + i)
                yield from [*lines, _stored(i, lane, code, walk, walk.low - self.scaling.low)]

    def saved1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        yield from text1.low_sums(group.size, text1.SUMS + text1.PART * part)
        yield from text1.high_sums(group.size, group.parts[part])

    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        """r2, r3: sums of both lanes; r1, r4: temporaries; r5: y; r6: constants; r7 as the scaling says."""
        if part < len(group.parts) - 1:
            return
        yield from [f"ldr r6, [sp, #{text1.K}]", *text1.add("r6", 4 * group.size * len(group.parts), "r2")]
        yield from [*text1.places(walk, "r5"), *self.scaling.head1()]
        order = sorted(enumerate(_places(group)), key=lambda piece: piece[1])
        for i in range(group.size):
            for number, (p, place) in enumerate(order):
                yield f"ldr r1, [sp, #{text1.SUMS + text1.PART * p + 4 * i}]"
                if number == 0:
                    yield from ["uxth r2, r1", "lsrs r3, r1, #16"]
                    continue
                yield from ["lsls r4, r1, #16", f"lsrs r4, r4, #{16 - place}"] if place else ["uxth r4, r1"]
                yield from [
                    "adds r2, r2, r4",
                    "lsrs r1, r1, #16",
                    *([f"lsls r1, r1, #{place}"] if place else []),
                ]
                yield "adds r3, r3, r1"
            yield from self.scaling.thumb1(group.first + i)
            if not walk.lanes:
                yield from ["lsls r3, r3, #16", "orrs r3, r2", f"str r3, [r5, #{4 * i}]"]
                continue
            lowered = [f"subs {{0}}, #{-walk.low}"] if walk.low else []
            yield from [*(line.format("r2") for line in lowered), f"strb r2, [r5, #{i}]"]
            yield from [
                *(line.format("r3") for line in lowered),
                f"mov r1, {text1.HIGH[0]}",
                f"strb r3, [r1, #{i}]",
            ]

    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """r0 (restored): constants; r1: y; r12, accumulator: both lanes; r2, r3, lr: temporaries."""
        last = len(group.parts) - 1
        if part < last:
            yield from [f"add r1, sp, #{text2.FIRST + 4 * group.size * part}", *text2.store(accs, "r1")]
            return
        yield from [f"ldr r2, [sp, #{text2.K}]", f"ldr r1, [sp, #{text2.Y}]", "push {r0}"]
        yield from text2.sum_to("r0", "r2", 4 * group.size * len(group.parts), "r3")
        places = _places(group)
        for i, acc in enumerate(accs):
            frame = [(4 + text2.FIRST + 4 * (group.size * p + i), places[p]) for p in range(last)]
            yield from _extracted(acc, places[last], frame, walk.dsp)
            yield from self.scaling.thumb2(group.first + i, ("r12", acc))
            if not walk.lanes:
                yield f"orr {acc}, r12, {acc}, lsl #16"
                continue
            yield from [f"strb r12, [r1, #{i}]"]
            if walk.lanes[1] + i <= REACH:
                yield f"strb {acc}, [r1, #{walk.lanes[1] + i}]"
            else:
                yield from [*text2.constant("r2", walk.lanes[1] + i), f"strb {acc}, [r1, r2]"]
        if not walk.lanes:
            yield from text2.store(accs, "r1")
        yield "pop {r0}"

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        raise NotImplementedError("no vector registers take wide sums")

    def cycles(self) -> Cycles:
        own, more = self.scaling.cycles(), self.pieces - 1
        return Cycles(
            thumb1=own.thumb1 + 11 + 9 * more + 2 * self.placed,
            thumb2=own.thumb2 + 4 + 5 * more + 2 * self.placed,
            helium=0,
        )


def _places(group: Group) -> tuple[int, ...]:
    return group.places or (0,) * len(group.parts)


def _stored(i: int, lane: int, code: str, walk: Walk, low: int) -> str:
    """The code of a lane, which is `low` less where it is a byte."""
    if not walk.lanes:
        return f"y[{i}] |= (uint32_t)({code}) << 16;" if lane else f"y[{i}] = (uint32_t)({code});"
    number = f"{code} - {-low}" if low else code
    return f"y[{walk.lanes[lane] + i}] = ({'int8_t' if walk.low else 'uint8_t'})({number});"


def _extracted(acc: str, place: int, frame: Sequence[tuple[int, int]], dsp: bool) -> Iterator[str]:
    """r12 and acc: the sums of the two lanes. The first part of all has the place 0."""
    if place:
        yield from [
            f"ldr r2, [sp, #{frame[0][0]}]",
            "uxth r3, r2",
            "uxth r12, " + acc,
            f"add r12, r3, r12, lsl #{place}",
        ]
        yield from ["lsrs r2, r2, #16", f"lsr {acc}, {acc}, #16", f"add {acc}, r2, {acc}, lsl #{place}"]
        frame = frame[1:]
    else:
        yield from [f"uxth r12, {acc}", f"lsr {acc}, {acc}, #16"]
    for offset, at in frame:
        yield f"ldr r2, [sp, #{offset}]"
        if at:
            yield from ["uxth r3, r2", f"add r12, r12, r3, lsl #{at}"]
            yield from ["lsrs r2, r2, #16", f"add {acc}, {acc}, r2, lsl #{at}"]
        else:
            yield from ["uxtah r12, r12, r2"] if dsp else ["uxth r3, r2", "add r12, r3"]
            yield f"add {acc}, {acc}, r2, lsr #16"
