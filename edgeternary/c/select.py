"""Choosing the plan of a graph: kernels and layouts for an objective and within budgets.

`search` finds the plans that are worth having: those that no other beats in cycles, flash and live bytes.
Their arenas are laid out one after the other, best first, until one keeps the budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from edgeternary import cores
from edgeternary.c import memory
from edgeternary.c.choices import Allow, Choices, Fetch, anything
from edgeternary.c.plan import Plan, fixed_ram
from edgeternary.c.rescale.narrowed import narrowed
from edgeternary.c.search.labels import Label
from edgeternary.c.search.search import MAX_LABELS, Search
from edgeternary.c.tabled import tabled
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph

OBJECTIVES = ("cycles", "flash", "ram")
SLACKS = {"flash": 0.25, "ram": 0.1}  # how much larger than the smallest plan one may be that is faster
LIMITED_LABELS = 128  # plans that are kept where limits choose among them: finer steps of flash
CLOSE = 1.02  # of plans as fast as the fastest of these, nearly, the smallest is taken


@dataclass(frozen=True)
class Budget:
    """The most that a plan may take; None is no limit. ram counts as `Plan.ram_bytes` does."""

    cycles: float | None = None
    flash: int | None = None
    ram: int | None = None

    def holds(self, plan: Plan) -> bool:
        return (
            plan.cycles <= _limit(self.cycles)
            and plan.flash_bytes <= _limit(self.flash)
            and plan.ram_bytes <= _limit(self.ram)
        )


class NoPlan(Exception):
    """No plan keeps the budgets."""

    def __init__(self) -> None:
        super().__init__("no plan keeps the budgets")


def select(
    graph: Graph,
    core: str = "cortex-m4",
    optimize: str = "cycles",
    budget: Budget | None = None,
    *,
    allow: Allow = anything,
    fetch: Fetch | None = None,
    max_labels: int = MAX_LABELS,
) -> Plan:
    """The best plan for `graph` on the core called `core`.

    optimize  cycles: the fastest; flash, ram: the fastest of those that are not much larger than
              the smallest (25 % of flash, 10 % of RAM), or one that is smaller and up to 2 % slower
    budget    limits that it keeps
    allow     which offers may be taken
    fetch     how fast code comes out of flash
    EdgeTernaryError (by layer name) where no kernel can run an op; NoPlan where no plan keeps the budget.
    """
    _check(optimize)
    return Planner(graph, core, allow, fetch, max_labels).choose(optimize, budget or Budget())


class Planner:
    """The plans of a graph on a core that are worth having: found once, chosen from for several budgets.

    search, labels  how they were found, for `c.explain`
    """

    def __init__(
        self,
        graph: Graph,
        core: str,
        allow: Allow = anything,
        fetch: Fetch | None = None,
        max_labels: int = MAX_LABELS,
    ) -> None:
        target, graph = cores.core(core), tabled(narrowed(graph))
        self.search = Search(Choices(graph, target, fetch, allow), max_labels)
        self.labels = self.search.labels()
        self._planned = _Planned(graph, target)

    def choose(self, optimize: str, budget: Budget) -> Plan:
        """The best plan within the budget, as `select` chooses it; NoPlan where there is none."""
        _check(optimize)
        return _choose(self._planned, self.labels, optimize, budget)

    def figures(self) -> list[tuple[float, int]]:
        """Estimated (cycles, flash) of the plans."""
        return [(label.cycles, label.flash) for label in self.labels]

    def least(self, what: str, budget: Budget | None = None) -> Plan | None:
        """The plan within the budget that takes least cycles, flash or ram; None where there is none."""
        return self._planned.least(self.labels, budget or Budget(), what)


def _check(optimize: str) -> None:
    if optimize not in OBJECTIVES:
        what, remedy = f"cannot optimize for {optimize[:20]!r}", f"use one of {', '.join(OBJECTIVES)}"
        raise EdgeTernaryError(what, "", remedy, USAGE)


def choose(graph: Graph, core: cores.Core, labels: Sequence[Label], optimize: str, budget: Budget) -> Plan:
    """The plan of the best label that keeps the budget."""
    return _choose(_Planned(graph, core), labels, optimize, budget)


def _choose(planned: _Planned, labels: Sequence[Label], optimize: str, budget: Budget) -> Plan:
    if optimize == "cycles":
        best = next(planned.within(labels, budget, fastest), None)
    else:
        size = _SIZES[optimize]
        smallest = planned.least(labels, budget, optimize)
        best = None
        if smallest is not None:
            most = size(smallest) * (1 + SLACKS[optimize])
            small = (p for p in planned.within(labels, budget, fastest) if size(p) <= most)
            first = next(small)
            close = takewhile(lambda plan: plan.cycles <= CLOSE * first.cycles, small)
            best = min([first, *close], key=size)
    if best is None:
        raise NoPlan
    return best


def fastest(label: Label) -> tuple[float, ...]:
    return label.cycles, label.flash, label.ram


_ORDERS: dict[str, Callable[[Label], tuple[float, ...]]] = {
    "cycles": fastest,
    "flash": lambda label: (label.flash, label.cycles, label.ram),
    "ram": lambda label: (label.ram, label.cycles, label.flash),
}
_SIZES: dict[str, Callable[[Plan], float]] = {
    "cycles": lambda plan: plan.cycles,
    "flash": lambda plan: plan.flash_bytes,
    "ram": lambda plan: plan.ram_bytes,
}


class _Planned:
    """Plans of labels, each made once."""

    def __init__(self, graph: Graph, core: cores.Core) -> None:
        self._graph, self._core, self.fixed = graph, core, fixed_ram(graph)
        self._plans: dict[int, Plan] = {}

    def of(self, label: Label) -> Plan:
        if id(label) not in self._plans:
            steps = label.steps()
            places, scratch, arena = memory.plan_memory(self._graph, steps)
            self._plans[id(label)] = Plan(self._graph, self._core, steps, places, scratch, arena)
        return self._plans[id(label)]

    def within(
        self, labels: Sequence[Label], budget: Budget, order: Callable[[Label], tuple[float, ...]]
    ) -> Iterator[Plan]:
        """Plans within the budget, best first; those that cannot be are never laid out."""
        for label in sorted(labels, key=order):
            possible = label.cycles <= _limit(budget.cycles) and label.flash <= _limit(budget.flash)
            if possible and label.ram + self.fixed <= _limit(budget.ram):
                plan = self.of(label)
                if budget.holds(plan):
                    yield plan

    def least(self, labels: Sequence[Label], budget: Budget, what: str) -> Plan | None:
        """The plan within the budget that takes least cycles, flash or RAM.

        A label's RAM is a lower bound: the rest need not be laid out once it exceeds what was found.
        """
        size, best = _SIZES[what], None
        for label in sorted(labels, key=_ORDERS[what]):
            if best is not None and (what != "ram" or label.ram + self.fixed >= best.ram_bytes):
                break
            plan = self.of(label)
            if budget.holds(plan) and (best is None or size(plan) < size(best)):
                best = plan
        return best


def _limit(value: float | None) -> float:
    return float("inf") if value is None else value
