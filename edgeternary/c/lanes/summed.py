"""The sums of a convolution on lanes: what fits a lane, which groups compute it, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import ModuleType
from typing import cast

import numpy as np

from edgeternary.c import epilogue, weights
from edgeternary.c.kernel import Match
from edgeternary.c.lanes import after as lanes_after
from edgeternary.c.lanes import cost as lanes_cost
from edgeternary.c.lanes import helium as lanes_helium
from edgeternary.c.lanes import placed as lanes_placed
from edgeternary.c.lanes import program as lanes_program
from edgeternary.c.lanes import stages as lanes_stages
from edgeternary.c.lanes import thumb1 as lanes_thumb1
from edgeternary.c.lanes import thumb2 as lanes_thumb2
from edgeternary.c.lanes.after import After, Case
from edgeternary.c.lanes.after import requantize as lanes_requantize
from edgeternary.c.lanes.after.base import Reach, part_start, signs
from edgeternary.c.lanes.after.wide import PARTS, Wide
from edgeternary.c.lanes.cost import Epilogue
from edgeternary.c.lanes.program import Group, Matrix
from edgeternary.c.lanes.stages import Need
from edgeternary.c.lanes.window import Window
from edgeternary.c.layouts import Words
from edgeternary.cores import Core
from edgeternary.ir import Op, Value
from edgeternary.ops import Conv2d, Requantize
from edgeternary.passes.affine import Affine

NO_LIMIT = 2**31  # of the terms of a sum
ROOM = 4  # bits that sums may leave free where a kind needs them
LANES = 2  # of a word whose sums are cut
MIN_TERMS = 16  # with fewer in a lane, taking sums apart costs more than lanes win


def assembler(core: Core) -> ModuleType:
    """The module that turns groups into the core's assembly."""
    if core.vectors:
        return lanes_helium
    return lanes_thumb1 if core.thumb1 else lanes_thumb2


@dataclass(frozen=True)
class Sums:
    """The part of a convolution that does not depend on where the result goes."""

    window: Window
    reach: Reach
    after: After
    groups: tuple[Group, ...]
    bound: int

    @cached_property
    def affine(self) -> Affine:
        """acc = unit * raw + offset, where raw is the sum of the lanes of all parts."""
        reach = self.reach
        start = np.zeros(sum(group.size for group in self.groups), np.int64)
        for group in self.groups:
            for part in range(len(group.parts)):
                start[group.first : group.first + group.size] += part_start(group, part, reach)
        return Affine(reach.unit, reach.offset - reach.unit * start, 0, 2 * self.bound + 1)


@dataclass(frozen=True)
class Pattern:
    """A convolution, the op that follows it, and their values: what the sums of a match depend on."""

    op: Conv2d
    follow: Op | None
    x: Value
    acc: Value
    out: Value
    core: Core

    @staticmethod
    def of(match: Match) -> Pattern:
        op = cast(Conv2d, match.ops[0])
        return Pattern(op, match.follow, match.ins[0], match.outs[0], match.out, match.core)


@lru_cache(maxsize=512)
def _matrix(op: Conv2d, factors: bytes, x: Value, window: Window, layout: Words) -> Matrix:
    """Weights whose rows are multiplied by `factors` (out,), int8 of -1, 0 or 1; all stores share it."""
    codes = op.weights.astype(np.int32) * np.frombuffer(factors, np.int8)[:, None, None, None]
    return Matrix.of(op, codes.astype(np.int32), x, window, layout)


@lru_cache(maxsize=512)
def sums(pattern: Pattern, layout: Words, store: str) -> Sums | None:
    """None where lanes are too narrow to be worth it, or, unless `store` is rows, for the epilogue in them.

    store  what becomes of sums: "rows" of sums, "lanes", or "bytes" in natural layout
    """
    op, follow, x, core = pattern.op, pattern.follow, pattern.x, pattern.core
    window = Window.over(op, x, pattern.acc, layout)
    assert window is not None
    count = len(op.bias)
    packed = store != "rows"
    factors = signs(follow, count) if packed else np.where(epilogue.negated(follow, count), -1, 1)
    codes = (op.weights.astype(np.int64) * factors[:, None, None, None]).astype(np.int32)
    reach = Reach.of(op, codes, factors, x, window.padded, layout.bits)
    matrix = _matrix(op, factors.astype(np.int8).tobytes(), x, window, layout)
    if reach.most < min(MIN_TERMS, max(len(words) for words in matrix.words)):
        return None
    low, high = matrix.interval(reach.lo, reach.hi)
    case = Case(follow, low, high, reach, pattern.out, core, natural=store == "bytes", acc=pattern.acc)
    after = lanes_after.plan(case) if packed else lanes_after.Sums.plan(case)
    bound = int(max(np.abs(low).max(), np.abs(high).max()))
    if after is None:
        way = None if weights.is_packed(op.weight_type) else _cut(matrix, case, store)
        return Sums(window, reach, *way, bound) if way else None
    choices = assembler(core).REGISTERS
    least, most = after.parts
    limit = NO_LIMIT if most == 1 else reach.most
    if limit < max(int(np.abs(row).max(initial=0)) for row in matrix.weights):
        return None
    found = lanes_program.groups(matrix, choices[:1] if after.spare else choices, limit, least)
    if len(found[0].parts) > most:
        return None
    return Sums(window, reach, after, found, bound)


Way = tuple[After, tuple[Group, ...]]


def _cut(matrix: Matrix, case: Case, store: str) -> Way | None:
    """Sums that outgrow their lanes: in stages or in parts, whichever is faster."""
    choices, thumb1 = assembler(case.core).REGISTERS, case.core.thumb1
    ways = [way for way in (_staged(matrix, case, choices), _wide(matrix, case, choices)) if way]

    def effort(way: Way) -> float:
        return lanes_cost.effort(way[1], Epilogue(way[0], store, LANES, False, thumb1))

    return min(ways, key=effort, default=None)


def _staged(matrix: Matrix, case: Case, choices: tuple[lanes_program.Registers, ...]) -> Way | None:
    """A shift after sums that outgrow their lanes, which lose bits on the way that the shift would lose."""
    q, reach = case.follow, case.reach
    if not isinstance(q, Requantize) or np.abs(q.m).max() > 1 or q.rounding == "tflite_double":
        return None
    shift = lanes_requantize.moved(q, reach)
    if shift is None:
        return None
    b, s = shift
    for bits in range(reach.bits, reach.bits - ROOM, -1):
        found = lanes_stages.find(matrix, choices, Need(reach, b, int(s.min()), 2**bits))
        if found is None:
            return None
        e = b & ((1 << found.drop) - 1)
        low, high = (end + e >> found.drop for end in (case.low, case.high))
        after = lanes_after.plan(replace(case, low=low, high=high, drop=found.drop))
        if after is not None and not after.spare:
            return after, found.groups
    return None


def _wide(matrix: Matrix, case: Case, choices: tuple[lanes_program.Registers, ...]) -> Way | None:
    """Sums of several parts, whose lanes are taken apart."""
    after, thumb1 = Wide.plan(case), case.core.thumb1
    if after is None:
        return None
    effort = lanes_placed.THUMB1 if thumb1 else lanes_placed.THUMB2
    groups = lanes_placed.find(matrix, choices[0], case.reach.most, PARTS, effort)
    if groups is None:
        return None
    parts = np.array([len(group.parts) for group in groups], np.float64)
    placed = np.array([np.count_nonzero(group.places) for group in groups], np.float64)
    return replace(after, pieces=float(parts.mean()), placed=float(placed.mean())), groups
