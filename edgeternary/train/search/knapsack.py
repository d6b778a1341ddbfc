"""A kind and a way to run for each layer of a chain: the choices that no other beats.

A layer's choice has a loss, cycles and flash, which add up over the layers. The choice at one layer says
which kind of activation it reads and which it gives, so neighbours must agree. From layer to layer, the
labels of each kind that arrives there are pruned by dominance (a multiple-choice knapsack by dynamic
programming).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

GRAIN = 0.02  # labels whose cycles and flash are this near count as one: the best of them stays


@dataclass(frozen=True)
class Option:
    """One choice for one layer: what it reads, what it gives, what it costs; `what` comes back."""

    reads: Hashable
    gives: Hashable
    loss: float
    cycles: float
    flash: float
    what: Any = None


@dataclass(frozen=True)
class Choice:
    """A choice for every layer, with its sums."""

    loss: float
    cycles: float
    flash: float
    options: tuple[Option, ...]


_Label = tuple[float, float, float, Any]  # loss, cycles, flash, (the label before, the option)


def solve(layers: Sequence[Sequence[Option]], grain: float = GRAIN) -> list[Choice]:
    """The choices that are not beaten in loss, cycles and flash at once; grain 0 keeps all of them.

    The first layer reads None.
    """
    arriving: dict[Hashable, list[_Label]] = {None: [(0.0, 0.0, 0.0, None)]}
    for options in layers:
        ways: dict[Hashable, list[_Label]] = {}
        for option in options:
            for label in arriving.get(option.reads, []):
                found = (
                    label[0] + option.loss,
                    label[1] + option.cycles,
                    label[2] + option.flash,
                    (label, option),
                )
                ways.setdefault(option.gives, []).append(found)
        arriving = {kind: front(thinned(labels, grain)) for kind, labels in ways.items()}
    final = front([label for labels in arriving.values() for label in labels])
    return [Choice(label[0], label[1], label[2], tuple(_options(label))) for label in final]


def thinned(labels: list[_Label], grain: float) -> list[_Label]:
    """Of labels whose cycles and flash are within `grain` of each other, the one of least loss."""
    if not grain:
        return labels
    best: dict[tuple[int, int], _Label] = {}
    scale = 1 / grain
    for label in labels:
        key = int(math.log(label[1] + 1) * scale), int(math.log(label[2] + 1) * scale)
        if key not in best or label[:3] < best[key][:3]:
            best[key] = label
    return list(best.values())


def front(labels: list[Any]) -> list[Any]:
    """The labels that no other equals or beats in all of their first three figures, least loss first."""
    kept = []
    cycles: list[float] = []  # a staircase: cycles rise, the flash at the same place falls
    flash: list[float] = []
    for label in sorted(labels, key=lambda label: label[:3]):
        at = bisect_right(cycles, label[1])
        if at and flash[at - 1] <= label[2]:
            continue
        kept.append(label)
        end = at
        while end < len(cycles) and flash[end] >= label[2]:
            end += 1
        start = at - 1 if at and cycles[at - 1] == label[1] else at
        cycles[start:end], flash[start:end] = [label[1]], [label[2]]
    return kept


def _options(label: _Label) -> list[Option]:
    found: list[Option] = []
    while label[3] is not None:
        label, option = label[3]
        found.insert(0, option)
    return found
