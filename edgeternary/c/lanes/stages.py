"""Sums that outgrow their lanes, in stages: low digits of the weights first, which lose bits on the way.

A weight is w = w0 + 2^j * w1. A first stage adds the words times w0; then every lane is shifted right by j
bits, which loses nothing that a later shift would keep, and a second stage goes on with the words times w1:

    floor((S + e) / 2^j) = floor((S0 + e) / 2^j) + S1        S = S0 + 2^j * S1

and so on for further stages. Any constant may be added to a lane on the way if it is a multiple of what
the lane is divided by next. Where (S + b) >> s follows, e is b modulo 2^j and nothing is lost as long as no
s is less than all the j together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import digits, program, text1, text2
from edgeternary.c.lanes.after.base import After, Reach
from edgeternary.c.lanes.program import Cut, Group, Matrix, Registers, Wide
from edgeternary.c.lanes.walk import Walk

MOST = 8  # stages
TRIED = 24  # ways to cut that are compared
STEP = 4  # instructions between two stages, for an output


@dataclass(frozen=True, eq=False)
class Need:
    """What sums have to keep; at most `most` bits are lost.

    added  (C,) b, whose lowest bits count;  room  the largest number that the last stage may hold, plus one
    """

    reach: Reach
    added: Wide
    most: int
    room: int


@dataclass(frozen=True)
class Staged:
    """Groups of one layer whose sums lose `drop` bits."""

    groups: tuple[Group, ...]
    drop: int

    @property
    def effort(self) -> int:
        """Instructions of one output of every group that depend on how sums are cut."""
        return sum(
            group.words + group.loads + group.skips + STEP * group.size * len(group.cuts) + program.OVERHEAD
            for group in self.groups
        )


def find(matrix: Matrix, choices: Sequence[Registers], need: Need) -> Staged | None:
    """The fewest stages that fit, and of those the cuts and registers with the fewest instructions."""
    dense = matrix.dense()
    span = max(need.reach.hi - need.reach.lo, 1)
    planes = digits.planes(dense[1])
    for count in range(2, MOST + 1):
        ways = [
            cuts
            for cuts in combinations(range(1, min(need.most, len(planes) - 1) + 1), count - 1)
            if _fits(planes, cuts, span, need)
        ]
        if ways:
            some = ways[:: -(-len(ways) // TRIED)]
            found = [_cut(matrix, dense, registers, cuts, need) for cuts in some for registers in choices]
            return min(found, key=lambda staged: staged.effort)
    return None


def _budget(cut: int, drop: int, span: int, need: Need) -> int:
    """What the weights before a cut may add up to: lanes then have room for any start that is a multiple."""
    return ((2**need.reach.bits - 1 - 2**drop) << (cut - drop)) // span


def _fits(planes: NDArray[np.int64], cuts: Sequence[int], span: int, need: Need) -> bool:
    before = [0, *cuts]
    for last, cut in pairwise(before):
        if np.abs(digits.together(planes[:cut])).sum(axis=1).max() > _budget(cut, cut - last, span, need):
            return False
    whole = np.abs(digits.together(planes)).sum(axis=1).max() * span
    return int(whole >> cuts[-1]) + 1 < need.room


def _cut(
    matrix: Matrix,
    dense: tuple[NDArray[np.int64], NDArray[np.int64]],
    registers: Registers,
    cuts: Sequence[int],
    need: Need,
) -> Staged:
    words, weights = dense
    groups = []
    for rows in program.ranges(len(matrix.words), registers):
        used = np.flatnonzero(weights[rows.start : rows.stop].any(axis=0))
        own = weights[rows.start : rows.stop, used]
        groups.append(_group(rows, words[used], own, registers, cuts, need))
    return Staged(tuple(groups), cuts[-1])


def _group(
    rows: range,
    words: NDArray[np.int64],
    weights: NDArray[np.int64],
    registers: Registers,
    cuts: Sequence[int],
    need: Need,
) -> Group:
    """Words whose weights fit an earlier stage with all their digits need not be loaded again."""
    reach, planes = need.reach, digits.planes(weights)
    span, whole = max(reach.hi - reach.lo, 1), np.zeros(len(words), bool)
    sums = [np.zeros_like(weights)]
    found: list[Cut] = []
    e = need.added[rows.start : rows.stop] & ((1 << cuts[-1]) - 1)
    left = np.zeros(len(rows), np.int64)
    for before, cut in pairwise([0, *cuts]):
        low, drop = np.where(whole, weights, digits.together(planes[:cut])), cut - before
        whole = whole | _pulled(low, weights, _budget(cut, drop, span, need))
        total = np.where(whole, weights, low)
        sums.append(total)
        smallest = _smallest(total, reach) + e >> before
        base = -(smallest >> drop << drop)
        found.append(
            Cut(drop, tuple((base - left + (0 if before else e)).tolist()), tuple((base >> drop).tolist()))
        )
        left = base >> drop
    sums.append(weights)
    parts = []
    for place, (a, b) in zip([0, *cuts], pairwise(sums), strict=True):
        part = (b - a) >> place
        terms = program.of_dense(words, part, registers)
        parts.append(tuple(program.loads(terms, registers.words)))
    return Group(rows.start, len(rows), tuple(parts), tuple(found))


def _smallest(weights: NDArray[np.int64], reach: Reach) -> NDArray[np.int64]:
    """(C,) the smallest sums."""
    return np.where(weights > 0, weights * reach.lo, weights * reach.hi).sum(axis=1)


def _pulled(low: NDArray[np.int64], weights: NDArray[np.int64], budget: int) -> NDArray[np.bool_]:
    """(n,) words that this stage takes whole, those that need the least room first."""
    more = np.abs(weights) - np.abs(low)
    pending = (low != weights).any(axis=0)
    room = budget - np.abs(low).sum(axis=1)
    order = np.argsort(np.where(pending, more.max(axis=0), 2**40), kind="stable")[: int(pending.sum())]
    fits = (np.cumsum(more[:, order], axis=1) <= room[:, None]).all(axis=0)
    count = int(np.argmin(fits)) if not fits.all() else len(order)
    taken = np.zeros(weights.shape[1], bool)
    taken[order[:count]] = True
    return taken


def starts(group: Group, last: Sequence[int]) -> list[list[int]]:
    """What is added to the lanes before each stage, when those after the last one start from `last`."""
    found = [list(cut.start) for cut in group.cuts]
    return [*found, [start - left for start, left in zip(last, group.cuts[-1].left, strict=True)]]


def place(group: Group, after: After, walk: Walk, stage: int) -> int:
    """Index of the constants of a stage but the first: they follow those of `after`."""
    return group.size * stage + len(after.words(group, walk.bits, walk.ones))


def _mask(drop: int, walk: Walk) -> int:
    return (2 ** (walk.bits - drop) - 1) * walk.ones


def c(cut: Cut, place: int, size: int, walk: Walk) -> list[str]:
    """The step to the next stage in C."""
    mask = f"0x{_mask(cut.drop, walk):x}u"
    return [f"a{i} = (a{i} >> {cut.drop} & {mask}) + k[{place + i}];" for i in range(size)]


def thumb2(cut: Cut, place: int, accs: Sequence[str], walk: Walk) -> Iterator[str]:
    """r1: constants; r2: the bits that remain."""
    yield from [f"ldr r1, [sp, #{text2.K}]", *text2.add("r1", 4 * place, "r2")]
    yield from text2.constant("r2", _mask(cut.drop, walk))
    for acc in accs:
        yield from ["ldmia r1!, {r3}", f"and {acc}, r2, {acc}, lsr #{cut.drop}", f"add {acc}, r3"]


def helium(cut: Cut, place: int, accs: Sequence[str], walk: Walk) -> Iterator[str]:
    """r2: constants; r5: one of them. Vectors shift each lane by itself."""
    for i, acc in enumerate(accs):
        yield from [f"vshr.u{walk.bits} {acc}, {acc}, #{cut.drop}", f"ldr r5, [r2, #{4 * (place + i)}]"]
        yield f"vadd.i{walk.bits} {acc}, {acc}, r5"


def thumb1(group: Group, stage: int, place: int, walk: Walk) -> Iterator[str]:
    """r0 (restored): constants; r1: the bits that remain; r2: a sum of a pair, then a constant."""
    drop, part = group.cuts[stage].drop, group.parts[stage]
    yield from [
        f"str r0, [sp, #{text1.SUMS + 4}]",
        f"ldr r0, [sp, #{text1.K}]",
        *text1.add("r0", 4 * place, "r1"),
    ]
    yield from [
        "movs r1, #1",
        f"lsls r1, r1, #{walk.bits - drop}",
        "subs r1, #1",
        f"lsls r2, r1, #{walk.bits}",
    ]
    yield "orrs r1, r2"
    for acc in text1.LOW[: group.size]:
        yield from [
            f"lsrs {acc}, {acc}, #{drop}",
            f"ands {acc}, r1",
            "ldmia r0!, {r2}",
            f"adds {acc}, {acc}, r2",
        ]
    for i in range(len(text1.LOW), group.size):
        plus, minus = text1.PAIRS[i - len(text1.LOW)]
        if text1.subtracts(i, part):
            yield from [f"mov r2, {minus}", "mvns r2, r2", "adds r2, #1", f"add r2, {plus}"]
        else:
            yield f"mov r2, {plus}"
        yield from [
            f"lsrs r2, r2, #{drop}",
            "ands r2, r1",
            f"mov {plus}, r2",
            "ldmia r0!, {r2}",
            f"add {plus}, r2",
        ]
    yield f"ldr r0, [sp, #{text1.SUMS + 4}]"
