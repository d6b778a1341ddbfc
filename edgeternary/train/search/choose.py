"""Which mixtures are worth fine-tuning: a few, spread over the front of predicted loss and cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgeternary.train.search.costs import Table
from edgeternary.train.search.goals import Goals
from edgeternary.train.search.knapsack import Choice, Option, solve
from edgeternary.train.search.sensitivity import Losses
from edgeternary.train.search.space import Mixture

LEVELS = 0.4, 8.0  # lowest and highest predicted loss that is tried, in units of Losses.still


def choices(table: Table, losses: Losses) -> list[Choice]:
    """The mixtures, with a plan for each layer, that no other beats in predicted loss, cycles and flash."""
    layers: list[list[Option]] = [[] for _ in losses.weights]
    for (at, kind, reads, gives), plans in table.items():
        loss = losses.weights[at][str(kind)]
        loss += losses.activations[at][str(gives)] if gives is not None else 0.0
        layers[at] += [Option(reads, gives, loss, c, f, kind) for c, f in plans]
    return solve(layers)


def mixture_of(choice: Choice) -> Mixture:
    """The kinds of a choice."""
    weights, gives = (option.what for option in choice.options), (o.gives for o in choice.options[:-1])
    return Mixture(tuple(weights), tuple(gives))  # type: ignore[arg-type]


def choose(found: Sequence[Choice], goals: Goals, count: int, base: Mixture, still: float) -> list[Mixture]:
    """At most `count` mixtures, other than the base, of least predicted loss first.

    Of levels of predicted loss, a geometric series, each gives the mixture of least cost: the product of
    cycles and flash, or the one of them that the goals do not limit. With limits on both, the mixtures of
    least loss are taken. Where nothing keeps the limits, what comes nearest to them is.
    """
    others = [choice for choice in found if mixture_of(choice) != base]
    if not others:
        return []
    excess = {id(choice): goals.excess(choice.cycles, choice.flash) for choice in others}
    least = min(excess.values())
    inside = [choice for choice in others if excess[id(choice)] <= least + (0.0 if least == 0 else 0.05)]
    both = goals.max_cycles is not None and goals.max_flash is not None
    chosen: dict[Mixture, Choice] = {}
    low = max(LEVELS[0] * still, min(choice.loss for choice in inside))
    high = max(LEVELS[1] * still, low)
    for step in range(count):
        limit = math.inf if both else low * (high / low) ** (step / max(count - 1, 1))
        left = [choice for choice in inside if mixture_of(choice) not in chosen]
        left = [choice for choice in left if choice.loss <= limit] or left
        if not left:
            break
        best = min(left, key=lambda c: (c.loss, _cost(c, goals)) if both else (_cost(c, goals), c.loss))
        chosen[mixture_of(best)] = best
    return sorted(chosen, key=lambda mixture: chosen[mixture].loss)


def _cost(choice: Choice, goals: Goals) -> float:
    """The logarithm of the product of what the goals do not limit."""
    cycles, flash = math.log(choice.cycles + 1), math.log(choice.flash + 1)
    if goals.max_flash is not None:
        return cycles
    return flash if goals.max_cycles is not None else cycles + flash
