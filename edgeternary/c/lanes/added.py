"""Sums of two values on lanes: compatible layouts, and the lines of C for each channel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgeternary.c.kernel import Match
from edgeternary.c.lanes.after import Case, LaneWise, plan_added
from edgeternary.c.lanes.after.base import Reach, signs
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.text_c import with_literals
from edgeternary.c.lanes.window import part_rows
from edgeternary.c.layouts import Lanes, lane_unit, tall
from edgeternary.ir import Value


def bare(layout: Lanes, value: Value) -> Lanes:
    """The same parts without a border."""
    return Lanes(
        layout.starts,
        part_rows(layout.starts, tall(value.shape)[0]),
        tall(value.shape)[1],
        0,
        0,
        value.type.lo,
    )


def serves(layout: Lanes, value: Value, rows: int) -> bool:
    """Whether `rows` rows of every part, without their border, are there."""
    return layout.rows >= layout.top + rows


def first_word(layout: Lanes, channels: int) -> int:
    """Distance of the first pixel that is not pad."""
    return (layout.top * layout.width + layout.left) * channels


@dataclass(frozen=True)
class Added:
    """after  as for a convolution;  factors (C,): 1, or -1 where the sum is subtracted"""

    after: LaneWise
    factors: tuple[int, ...]
    bits: int

    @staticmethod
    def of(match: Match, bits: int) -> Added | None:
        """None where the lanes are too narrow, or the operands differ in kind."""
        x0, x1 = match.ins
        unit, count = lane_unit(x0.type), match.out.channels
        if unit != lane_unit(x1.type) or any(x.type.hi - x.type.lo >= unit << bits for x in match.ins):
            return None
        factors = signs(match.follow, count)
        lows, highs = (
            sum((end - x.type.lo) // unit for end, x in zip(ends, match.ins, strict=True))
            for ends in ((x0.lo, x1.lo), (x0.hi, x1.hi))
        )
        ends = np.stack([factors * lows, factors * highs])
        reach = Reach(lows, highs, unit, factors * (x0.type.lo + x1.type.lo), bits)
        low, high = ends.min(axis=0), ends.max(axis=0)
        after = plan_added(Case(match.follow, low, high, reach, match.out, match.core))
        return None if after is None else Added(after, tuple(factors.tolist()), bits)

    def lines(self, ones: int, dsp: bool) -> Iterator[str]:
        """For each channel: the sum in all lanes, and what follows."""
        count = len(self.factors)
        words = [(word * ones) & 0xFFFFFFFF for word in self.after.start.tolist()]
        group = Group(0, count, ())
        limits = self.after.words(group, self.bits, ones)
        text = self.after.dsp_c if dsp else self.after.word_c
        for i, factor in enumerate(self.factors):
            terms = {1: f" + a[{i}] + b[{i}]", -1: f" - a[{i}] - b[{i}]", 0: ""}[factor]
            yield f"sum = 0x{words[i]:x}u{terms};"
            for line in text(group, i, self.bits, ones):
                yield re.sub(rf"\ba{i}\b", "sum", with_literals(line, [0] * count + limits))
            yield f"to[{i}] = sum;"
