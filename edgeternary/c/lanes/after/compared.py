"""Thresholds: y = count over k of (S >= t[k]) + lo, compared in every lane at once."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeternary.c import epilogue
from edgeternary.c.lanes import text_helium
from edgeternary.c.lanes.after.base import Case, LaneWise
from edgeternary.c.lanes.program import Group, Wide
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.stepping import Stepping
from edgeternary.ir import parse
from edgeternary.ops import Threshold
from edgeternary.passes.affine import Affine

MAX_LEVELS = 15


@dataclass(frozen=True, kw_only=True)
class Compared(LaneWise, abstract=True):
    """limits  (levels, C) what lanes are compared with, or subtract
    hard    (C,) whether all bits are compared
    """

    limits: Wide
    hard: Wide

    @property
    def levels(self) -> int:
        return len(self.limits)

    def odds(self, channel: int) -> list[bool]:
        """By level, whether half of the sum is rounded up."""
        return [False] * self.levels

    def above(self, level: int, channel: int) -> int:
        """What a comparison by the highest bit subtracts from the sum."""
        return int(self.limits[level, channel])

    @abstractmethod
    def reached(self, channel: int, bits: int) -> list[int]:
        """What a lane holds at least, where it reaches each threshold."""

    def all_bits_c(self, channel: int, i: int, limits: Sequence[str], bits: int, ones: int) -> Iterator[str]:
        """a >= t in C: the highest bits decide; where they agree the others do, below a highest bit of 1.

        limits  C expressions, one for each level: the thresholds without their highest bits
        """
        yield f"v = a{i} | 0x{ones << (bits - 1):x}u;"
        terms = []
        for level, limit in enumerate(limits):
            sign = "&" if self.limits[level, channel] >> (bits - 1) else "|"
            terms.append(f"((((v - {limit}) {sign} a{i}) >> {bits - 1}) & 0x{ones:x}u)")
        yield f"a{i} = {' + '.join(terms)};"

    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
        """One comparison and one addition in the lanes that reach the threshold."""
        yield from [*text_helium.store_head(walk), f"movs r6, #{walk.unit}"]
        for i, acc in enumerate(accs):
            yield "vmov.i32 q0, #0"
            for limit in self.reached(group.first + i, walk.bits):
                if limit < 2**walk.bits:  # the others are never reached
                    yield f"movw r5, #{limit}"  # then one line, which is one statement
                    yield f"vpt.u{walk.bits} cs, {acc}, r5; vaddt.i{walk.bits} q0, q0, r6"
            yield from text_helium.store(walk, i, "q0")
        yield from text_helium.store_tail(walk, len(accs))

    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        """Thresholds, level by level, without the highest bit where that is compared apart."""
        channels = slice(group.first, group.first + group.size)
        limits, edge = self.limits[:, channels], 2 ** (bits - 1)
        limits = np.where(self.hard[channels], limits % edge, limits)
        return [word * ones % 2**32 for word in limits.ravel().tolist()]


def thresholds(case: Case) -> Wide | None:
    """(C, levels) of sums in [low, high], each from low to high + 1; None where a count is not the code."""
    follow, low, high = case.follow, case.low, case.high
    if not isinstance(follow, Threshold) or case.drop:
        return None
    stepping = Stepping.of(follow).negate(epilogue.negated(follow, len(low))).spread()
    stepping = stepping.on_raw(Affine(case.reach.unit, case.reach.offset, int(low.min()), int(high.max())))
    if not stepping.direct or stepping.levels > MAX_LEVELS or parse(follow.type) != case.out.type:
        return None
    return np.clip(stepping.t, low[:, None], high[:, None] + 1)
