"""Estimates for a convolution on lanes: a group's program as it is written, and what is around it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeternary.c import accumulator
from edgeternary.c.kernel import Cost, Match
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.program import Group
from edgeternary.ops import Threshold

CODES_BYTES = 1024  # the table of `lanes/fields`
ROWS_BYTES = 300  # the loop in C over rows of sums


@dataclass(frozen=True)
class Epilogue:
    """What becomes of a sum, and where it goes.

    store   direct, bytes or rows, as in `lanes/conv`;  fields  four channels at a time, see `lanes/fields`
    thumb1  16-bit instructions only;  planes  results are bit planes
    """

    after: After
    store: str
    lanes: int
    fields: bool
    thumb1: bool
    planes: bool = False

    @property
    def cycles(self) -> float:
        """For one output in all lanes; a load takes 2."""
        cycles = self.after.cycles()
        own = cycles.thumb1 if self.thumb1 else cycles.thumb2
        if self.after.stores:
            return own
        if self.thumb1:
            return own + (8 if self.fields else 2 + 4 * self.lanes if self.store == "bytes" else 2)
        return own + (2 + 2 * self.lanes if self.store == "bytes" else 1)

    @property
    def around(self) -> int:
        """For all outputs of a group: the loop, and sums that pass through memory."""
        return 28 if self.thumb1 else 14

    @property
    def bytes(self) -> float:
        """Code for one output, beside its additions."""
        return self.cycles * (1.7 if self.thumb1 else 3)


def cost(
    match: Match, groups: tuple[Group, ...], epilogue: Epilogue, rows: int, pixels: int, border: int
) -> Cost:
    """Of `rows` rows of `pixels` words, and `border` words around them."""
    once, code = 0.0, 0
    for group in groups:
        work = group.additions + group.words + group.loads + group.skips
        once += work + len(group.parts) * (6 + group.size) + group.size * epilogue.cycles + epilogue.around
        code += 2 * group.additions + 2 * group.loads + 3 * group.skips
        code += 0 if epilogue.thumb1 else group.additions // 3
        code += round(group.size * (8 + epilogue.bytes)) + 80
    cycles = rows * pixels * once + 40.0 * len(groups) * (1 if epilogue.store == "direct" else rows)
    once_only = CODES_BYTES if epilogue.fields else 0
    code += 0 if epilogue.after.codes is None else len(epilogue.after.codes)
    if epilogue.store == "rows":
        cycles += match.out.size * _taken_apart(match, epilogue, len(groups[0].parts))
        once_only += accumulator.epilogue_flash(match) + ROWS_BYTES
    return Cost(cycles + 5 * border, code + once_only, code * rows * pixels)


def _taken_apart(match: Match, epilogue: Epilogue, parts: int) -> float:
    """One output of one lane, in C."""
    if epilogue.after.kind != "sums":
        return 4
    levels = int(match.follow.t.shape[1]) if isinstance(match.follow, Threshold) else 0
    planes = 0.35 * max(match.out.type.planes - 2, 0) if epilogue.planes else 0
    return match.core.touch * (max(0.2 + 0.5 * (parts + levels), 1.2) + planes)
