"""Sums that outgrow their lanes, in parts that are added afterwards: by taps, and by digits of the weights.

Weights are cut by digits as in `lanes/stages`, w = w0 + 2^j * w1, and what each piece adds up to is cut by
taps where a lane is full. A cut by digits loads words again, one by taps does not; but with 8-bit weights it
takes many parts, which all have to be taken out of their lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import digits, program
from edgeternary.c.lanes.program import Group, Matrix, Registers

CUTS = 2  # by digits


@dataclass(frozen=True)
class Effort:
    """Cycles of a part, for an output, and of a word that is loaded again."""

    part: float
    word: float


THUMB1, THUMB2 = Effort(14, 1.8), Effort(8, 1.5)


def find(
    matrix: Matrix, registers: Registers, most: int, parts: int, effort: Effort
) -> tuple[Group, ...] | None:
    """Groups whose parts have weights of at most `most`; None where more than `parts` would be needed."""
    words, weights = matrix.dense()
    planes = digits.planes(weights)
    ranges = program.ranges(len(weights), registers)
    ways = [cuts for n in range(CUTS + 1) for cuts in combinations(range(1, len(planes)), n)]
    known: dict[tuple[int, int], list[float]] = {}  # several ways have a piece in common
    for a, b in (piece for cuts in ways for piece in _pieces(planes, cuts)):
        if (a, b) not in known:
            known[a, b] = _efforts(digits.together(planes[a:b]), a, ranges, most, effort)
    found = [(sum(chain.from_iterable(known[p] for p in _pieces(planes, cuts))), cuts) for cuts in ways]
    best, cuts = min(found)
    if best == np.inf:
        return None
    groups = [
        _group(rows, words, planes[:, rows.start : rows.stop], registers, cuts, most) for rows in ranges
    ]
    return tuple(groups) if max(len(group.parts) for group in groups) <= parts else None


def _pieces(planes: NDArray[np.int64], cuts: Sequence[int]) -> list[tuple[int, int]]:
    """First plane, and that after the last one, of the pieces between cuts."""
    return list(pairwise([0, *cuts, len(planes)]))


def _efforts(
    weights: NDArray[np.int64], place: int, ranges: Sequence[range], most: int, effort: Effort
) -> list[float]:
    """Cycles of a piece in each group: of its parts, and of words that are loaded again."""
    size = np.abs(weights)
    if size.max() > most:
        return [float(np.inf)]
    found, sums = [], size.sum(axis=1)
    for rows in ranges:
        own = slice(rows.start, rows.stop)
        found.append(len(rows) * ceil(sums[own].max() / most) * effort.part)
        found.append(effort.word * np.count_nonzero(weights[own].any(axis=0)) if place else 0.0)
    return found


def _group(
    rows: range,
    words: NDArray[np.int64],
    planes: NDArray[np.int64],
    registers: Registers,
    cuts: Sequence[int],
    most: int,
) -> Group:
    parts: list[tuple[program.Load, ...]] = []
    places = []
    for a, b in _pieces(planes, cuts):
        weights = digits.together(planes[a:b])
        for part in program.cut(program.of_dense(words, weights, registers), len(rows), most):
            if part or not parts:
                parts.append(tuple(program.loads(part, registers.words)))
                places.append(a)
    return Group(rows.start, len(rows), tuple(parts), places=tuple(places))
