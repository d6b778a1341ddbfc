"""Estimates for a convolution on lanes: a group's program as it is written, and what is around it."""

from dataclasses import dataclass
from functools import lru_cache

from edgeternary.c import accumulator
from edgeternary.c.kernel import Cost, Match
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.border import EDGE
from edgeternary.c.lanes.butterfly import butterflies
from edgeternary.c.lanes.pace import EVEN, PACES, Pace
from edgeternary.c.lanes.program import Group
from edgeternary.c.rescale import forms as rescale
from edgeternary.ops import Requantize, Threshold

BY_ROW = ("rows", "planes")  # ways to store that have a row in scratch memory, and a call for each row
CODES_BYTES = 1024  # the table of `after/fields`
ROWS_BYTES = 300  # of code: the loop in C over rows of sums
PART, CALL = 6, 40.0  # cycles of a part besides its words and additions, and of a call of a group
STAGE1, STAGE2 = (14, 6.6), (7, 4)  # cycles between two stages of sums: once, and for each output; by Thumb
ADDITION, LOAD, SKIP, OUTPUT, GROUP = 2, 2, 3, 8, 80  # bytes of code for each
KEPT1, KEPT2 = 4, 1.2  # cycles of an output whose sum waits in the frame
PARTED1, PARTED2 = 6.5, 3.5  # cycles of an output that shares sums with another one, by Thumb
STAGE_BYTES, WORD_BYTES = 3, 4  # bytes of an instruction between stages; of a constant
WIDE = 3  # additions of Thumb-2 for each byte that their 32-bit forms take more
CALLING, CALLER = 8, 6  # cycles of a routine's call and return, and bytes of the call
TAKEN = 4  # cycles of an output of one lane that rows of results give up
SUM = (
    0.2,
    0.5,
    1.2,
)  # of Core.touch, for an output taken from rows of sums: once, each part or level; at least
PLANE = 0.35  # of Core.touch, for each plane of an output from the third on


@dataclass(frozen=True)
class Figures:
    """What surrounds the text of a kind, as instructions of which a load takes 2 cycles; see `after.Cycles`.

    loop    cycles for all outputs of a group: the loop, and sums that pass through memory
    word    cycles of storing an output as a word;  fields  as fields of four channels
    bytes   cycles of storing its lanes as bytes: once, and for each lane
    code    bytes of code for each of these cycles
    """

    loop: int
    word: int
    fields: int
    bytes: tuple[int, int]
    code: float


THUMB1 = Figures(loop=28, word=2, fields=8, bytes=(2, 4), code=1.7)
THUMB2 = Figures(loop=14, word=1, fields=0, bytes=(2, 2), code=3)


@dataclass(frozen=True)
class Epilogue:
    """What becomes of a sum, and where it goes.

    store   direct, bytes or rows, as in `lanes/conv`;  fields  four channels at a time, see `lanes/fields`
    thumb1  16-bit instructions only;  planes  results are bit planes;  pace  of the core
    routine  outputs of groups that call a routine for it; 0 for none
    """

    after: After
    store: str
    lanes: int
    fields: bool
    thumb1: bool
    planes: bool = False
    pace: Pace = EVEN
    routine: int = 0

    @property
    def figures(self) -> Figures:
        return THUMB1 if self.thumb1 else THUMB2

    @property
    def cycles(self) -> float:
        """For one output in all lanes, at a pace of 1."""
        return self._after + self._store

    @property
    def paced(self) -> float:
        """The same on the core."""
        return self.pace.after * self._after + self.pace.store * self._store

    @property
    def _after(self) -> float:
        own = self.after.cycles()
        return own.thumb1 if self.thumb1 else own.thumb2

    @property
    def _store(self) -> float:
        figures = self.figures
        if self.after.stores:
            return 0
        if self.fields:
            return figures.fields
        once, lane = figures.bytes if self.store == "bytes" else (figures.word, 0)
        return once + lane * self.lanes

    @property
    def bytes(self) -> float:
        """Code for one output, beside its additions."""
        return self.cycles * self.figures.code


def cost(
    match: Match, groups: tuple[Group, ...], epilogue: Epilogue, rows: int, pixels: int, border: int
) -> Cost:
    """Of `rows` rows of `pixels` words, and `border` words around them."""
    once, code = effort(groups, epilogue), 0
    for group in groups:
        stage, each = STAGE1 if epilogue.thumb1 else STAGE2
        additions = _additions(group, epilogue.thumb1)
        code += ADDITION * additions + LOAD * group.loads + SKIP * group.skips
        code += ADDITION * (group.shifts if epilogue.thumb1 else group.shifted + 2 * group.triples)
        code += 0 if epilogue.thumb1 else (additions - group.shifted) // WIDE
        code += len(group.cuts) * (WORD_BYTES * group.size + STAGE_BYTES * round(stage + group.size * each))
        code += round(group.size * (OUTPUT + epilogue.bytes)) + GROUP
    callers = sum(group.size == epilogue.routine for group in groups)
    saved = round(max(callers - 1, 0) * epilogue.routine * epilogue.bytes - CALLER * callers)
    fetched = code * rows * pixels
    code -= saved if callers else 0
    once += CALLING * epilogue.pace.rest * callers
    cycles = rows * pixels * once + CALL * len(groups) * (rows if epilogue.store in BY_ROW else 1)
    once_only = CODES_BYTES if epilogue.fields else 0
    code += 0 if epilogue.after.codes is None else len(epilogue.after.codes)
    if epilogue.store == "rows":
        rows_cycles = match.out.size * _taken_apart(match, epilogue, len(groups[0].parts))
        cycles += match.core.figures(PACES).rows * rows_cycles
        once_only += accumulator.epilogue_flash(match) + ROWS_BYTES
    return Cost(cycles + EDGE * border, code + once_only, fetched)


def effort(groups: tuple[Group, ...], epilogue: Epilogue) -> float:
    """Cycles of one word of each output."""
    total = 0.0
    stage, each = STAGE1 if epilogue.thumb1 else STAGE2
    kept, pace = KEPT1 if epilogue.thumb1 else KEPT2, epilogue.pace
    for group in groups:
        stages = len(group.cuts)
        shifts = group.shifts if epilogue.thumb1 else 0
        total += pace.add * (_additions(group, epilogue.thumb1) + group.triples + shifts)
        total += pace.shifted * group.shifted + pace.word * (group.words + group.loads + group.skips)
        rest: float = (
            len(group.parts) * PART + (len(group.parts) - stages) * group.size + epilogue.figures.loop
        )
        rest += stages * (stage + group.size * each)
        rest += epilogue.after.kept(group) * group.size * kept if group.places else 0
        total += pace.rest * rest + group.size * epilogue.paced
    return total


def _additions(group: Group, thumb1: bool) -> int:
    """Of words, and of what two outputs have in common."""
    words, shared = _added(group)
    return words + round((PARTED1 if thumb1 else PARTED2) * group.size * shared)


@lru_cache(maxsize=4096)
def _added(group: Group) -> tuple[int, int]:
    """(additions of words, parts in which two outputs share them)."""
    parts = [(part, butterflies(part, group.size)) for part in group.parts]
    words = sum(len(terms) for part, less in parts for load in less or part for terms in load.terms)
    return words, sum(less is not None for _, less in parts)


def _taken_apart(match: Match, epilogue: Epilogue, parts: int) -> float:
    """One output of one lane, in C."""
    if epilogue.after.kind != "sums":
        return TAKEN
    levels = int(match.follow.t.shape[1]) if isinstance(match.follow, Threshold) else 0
    once, each, least = SUM
    planes = PLANE * max(match.out.type.planes - 2, 0) if epilogue.planes else 0
    return match.core.touch * (max(once + each * (parts + levels), least) + planes) + long_form(match)


def long_form(match: Match) -> float:
    """What form C takes beyond the others."""
    q, acc = match.follow, match.outs[0]
    if not isinstance(q, Requantize) or rescale.form(q, acc) != "C":
        return 0.0
    return rescale.cycles(q, acc, match.core) - match.core.touch
