"""Moves, labels, and which labels are worth keeping."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from edgeternary.c.plan import Buffer, Step

Pair = tuple[Buffer, Buffer]  # a buffer, and the buffer whose memory it is
State = frozenset[tuple[Buffer, Buffer | None]]  # None: given up; nobody makes it again


@dataclass(frozen=True, eq=False)
class Move:
    """Steps from one state to another, and what they cost.

    peak  bytes of the arena that are alive at the worst moment;  code  bytes of code in RAM
    """

    steps: tuple[Step, ...]
    target: State
    peak: int

    @property
    def cycles(self) -> float:
        return sum(step.offer.cost.cycles for step in self.steps)

    @property
    def flash(self) -> int:
        return sum(step.offer.cost.flash for step in self.steps)

    @property
    def code(self) -> int:
        return sum(step.offer.cost.flash for step in self.steps if step.offer.from_ram)


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

    def beats(self, other: Label) -> bool:
        """Whether it is no worse in anything."""
        return (
            self.cycles <= other.cycles
            and self.flash <= other.flash
            and self.peak <= other.peak
            and self.code <= other.code
        )

    def steps(self) -> tuple[Step, ...]:
        found: list[Step] = []
        label: Label | None = self
        while label is not None and label.move is not None:
            found[:0] = label.move.steps
            label = label.before
        return tuple(found)


def pareto(labels: list[Label]) -> list[Label]:
    """Labels that no other one beats, fastest first.

    Where no code is in RAM, those seen so far bound a staircase of (flash, peak), which bisection searches.
    """
    labels = sorted(labels, key=lambda x: (x.cycles, x.flash, x.peak, x.code))
    kept: list[Label] = []
    if any(label.code for label in labels):
        for label in labels:
            if not any(other.beats(label) for other in kept):
                kept.append(label)
        return kept
    flashes: list[int] = []  # ascending, with descending peaks
    peaks: list[int] = []
    for label in labels:
        place = bisect_right(flashes, label.flash)
        if place and peaks[place - 1] <= label.peak:
            continue
        kept.append(label)
        start = bisect_left(flashes, label.flash)
        end = start
        while end < len(peaks) and peaks[end] >= label.peak:
            end += 1
        flashes[start:end], peaks[start:end] = [label.flash], [label.peak]
    return kept


def thin(labels: list[Label], most: int) -> list[Label]:
    """At most about `most` of the labels, which come fastest first and stay so."""
    if len(labels) <= most:
        return labels
    keep = {0, *hull(labels)}
    keep.add(min(range(len(labels)), key=lambda i: (labels[i].flash, labels[i].cycles)))
    keep.add(min(range(len(labels)), key=lambda i: (labels[i].ram, labels[i].cycles)))
    keep.update(round(i * (len(labels) - 1) / most) for i in range(most))
    return [label for i, label in enumerate(labels) if i in keep]


def hull(labels: Sequence[Label]) -> list[int]:
    """Indices of the lower left convex hull of (cycles, flash) of labels that come fastest first."""
    found: list[int] = []
    for i, label in enumerate(labels):
        if found and label.flash >= labels[found[-1]].flash:
            continue
        while len(found) > 1 and _above(labels[found[-2]], labels[found[-1]], label):
            found.pop()
        found.append(i)
    return found


def _above(a: Label, b: Label, c: Label) -> bool:
    """Whether b lies on or above the line from a to c."""
    return (b.cycles - a.cycles) * (c.flash - a.flash) <= (c.cycles - a.cycles) * (b.flash - a.flash)
