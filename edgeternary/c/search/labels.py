"""Moves, labels, and which labels are worth keeping."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.plan import Buffer, Step

Pair = tuple[Buffer, Buffer]  # a buffer, and the buffer whose memory it is
State = frozenset[tuple[Buffer, Buffer | None]]  # None: given up; nobody makes it again
Table = NDArray[np.float64]  # (labels, 4): cycles, flash, peak and code of each; integers stay exact
Indices = NDArray[np.intp]
Point = tuple[float, float]  # cycles, flash
SHORT = 64  # rows of a table that are looked at one by one


@dataclass(frozen=True, eq=False)
class Work:
    """Steps that run one after the other, and what they cost.

    code  bytes of code in RAM
    """

    steps: tuple[Step, ...]

    @cached_property
    def cycles(self) -> float:
        return sum(step.offer.cost.cycles for step in self.steps)

    @cached_property
    def flash(self) -> int:
        return sum(step.offer.cost.flash for step in self.steps)

    @cached_property
    def code(self) -> int:
        return sum(step.offer.cost.flash for step in self.steps if step.offer.from_ram)

    @cached_property
    def runs(self) -> bool:
        """Whether any step has code."""
        return not all(step.offer.alias for step in self.steps)


@dataclass(frozen=True, eq=False)
class Move:
    """Work that leads from one state to another.

    peak  bytes of the arena that are alive at the worst moment
    """

    work: Work
    target: State
    peak: int


@dataclass(frozen=True, eq=False, slots=True)
class Label:
    """One way to come to a state."""

    cycles: float
    flash: int
    peak: int
    code: int
    move: Move | None = None
    before: Label | None = None

    @property
    def ram(self) -> int:
        """Lower bound of the arena, and code in RAM."""
        return self.peak + self.code

    def then(self, move: Move) -> Label:
        """The label that follows this one by `move`."""
        return Label(
            self.cycles + move.work.cycles,
            self.flash + move.work.flash,
            max(self.peak, move.peak),
            self.code + move.work.code,
            move,
            self,
        )

    def steps(self) -> tuple[Step, ...]:
        found: list[Step] = []
        label: Label | None = self
        while label is not None and label.move is not None:
            found[:0] = label.move.work.steps
            label = label.before
        return tuple(found)


class Front:
    """The labels of a state, fastest first, and their figures as a table."""

    def __init__(self, labels: list[Label]) -> None:
        self.labels = labels
        rows = [(label.cycles, label.flash, label.peak, label.code) for label in labels]
        self.table: Table = np.array(rows, np.float64).reshape(-1, 4)


def join(ways: Sequence[tuple[Front, Move]], most: int) -> Front:
    """What is worth keeping, about `most`, of the labels that come to a state by all its ways."""
    sizes = [len(front.labels) for front, _ in ways]
    starts = np.cumsum([0, *sizes])
    moves = [(move.work.cycles, move.work.flash, 0, move.work.code) for _, move in ways]
    table = np.concatenate([front.table for front, _ in ways])
    table += np.repeat(np.array(moves, np.float64), sizes, axis=0)
    np.maximum(table[:, 2], np.repeat([move.peak for _, move in ways], sizes), out=table[:, 2])
    best = pareto(table)
    best = best[thin(table[best], most)]
    found = np.searchsorted(starts, best, side="right") - 1
    return Front(
        [
            ways[way][0].labels[place].then(ways[way][1])
            for way, place in zip(found.tolist(), (best - starts[found]).tolist(), strict=True)
        ]
    )


def pareto(table: Table) -> Indices:
    """Rows that no other one beats, fastest first; of equal rows the first.

    Where no code is in RAM, those seen so far bound a staircase of (flash, peak), which bisection searches.
    """
    order = np.lexsort(table.T[::-1])
    table = table[order]
    kept: list[int] = []
    if table[:, 3].any():
        best = np.empty_like(table)
        for i, row in enumerate(table):
            if not (best[: len(kept)] <= row).all(axis=1).any():
                best[len(kept)] = row
                kept.append(i)
        return order[kept]
    flashes: list[float] = []  # ascending, with descending peaks
    peaks: list[float] = []
    rows = np.arange(len(table))
    if len(rows) > SHORT:
        rows = np.flatnonzero(~(_beaten(table[:, 1], table[:, 2]) | _beaten(table[:, 2], table[:, 1])))
    for i, (flash, peak) in zip(rows.tolist(), table[rows, 1:3].tolist(), strict=True):
        place = bisect_right(flashes, flash)
        if place and peaks[place - 1] <= peak:
            continue
        kept.append(i)
        start = bisect_left(flashes, flash)
        end = start
        while end < len(peaks) and peaks[end] >= peak:
            end += 1
        flashes[start:end], peaks[start:end] = [flash], [peak]
    return order[kept]


def _beaten(size: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows after the one with the least `size` so far, where that one is not larger in `other` either."""
    number = np.arange(len(size))
    least = np.minimum.accumulate(size)
    falls = np.ones(len(size), np.bool_)
    np.less(least[1:], least[:-1], out=falls[1:])
    first = np.maximum.accumulate(np.where(falls, number, 0))
    beaten: NDArray[np.bool_] = (first < number) & (other[first] <= other)
    return beaten


def thin(table: Table, most: int) -> list[int]:
    """Indices of at most about `most` rows of a table, which come fastest first and stay so."""
    if len(table) <= most:
        return list(range(len(table)))
    cycles, flash, peak, code = table.T
    keep = {0, *hull(cycles.tolist(), flash.tolist())}
    keep.update(int(np.lexsort((cycles, size))[0]) for size in (flash, peak + code))
    keep.update(round(i * (len(table) - 1) / most) for i in range(most))
    return sorted(keep)


def hull(cycles: Sequence[float], flash: Sequence[float]) -> list[int]:
    """Indices of the lower left convex hull of (cycles, flash), which come fastest first."""
    found: list[int] = []
    for i in range(len(cycles)):
        if found and flash[i] >= flash[found[-1]]:
            continue
        while len(found) > 1 and _above(*((cycles[j], flash[j]) for j in (*found[-2:], i))):
            found.pop()
        found.append(i)
    return found


def _above(a: Point, b: Point, c: Point) -> bool:
    """Whether b lies on or above the line from a to c."""
    return (b[0] - a[0]) * (c[1] - a[1]) <= (c[0] - a[0]) * (b[1] - a[1])
