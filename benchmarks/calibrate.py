"""Calibrating the cost model: estimates of every kernel beside what its layers of the suite take.

Each layer runs once with each kernel that can run it. A kernel's factor is the median of measured /
estimated cycles; what remains after it is the error that a report shows. The host, which has no timing model,
takes the factor of the M4.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import mean, median
from typing import Any

from benchmarks.suite import Case
from edgeternary.bench import make
from edgeternary.bench.rows import Row
from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run.cortex_m import run_plan

LAYER_OPS = 2  # a layer and its activation
LIKE = {"host": "cortex-m4"}


@dataclass(frozen=True)
class Point:
    """One step of one plan: estimated and measured cycles, estimated and measured bytes of flash.

    single  of one layer; in a network the routines that a step calls are not known to be its own
    """

    kernel: str
    core: str
    case: str
    estimated: float
    cycles: float
    flash: int
    measured_flash: int
    single: bool

    @property
    def ratio(self) -> float:
        return self.cycles / max(self.estimated, 1.0)


def plans(graph: Graph, core: str) -> Iterator[Plan]:
    """The plans of a layer with each variant of each kernel that can run it; of a network the chosen one."""
    if len(graph.ops) > LAYER_OPS:
        yield select(graph, core)
        return
    seen: dict[tuple[str, str], None] = {}

    def note(match: Match, kernel: Kernel, offer: Offer) -> bool:
        if match.ops[0] is graph.ops[0]:
            seen[kernel.name, offer.variant] = None
        return True

    select(graph, core, allow=note)
    for one in seen:

        def only(match: Match, kernel: Kernel, offer: Offer, one: tuple[str, str] = one) -> bool:
            return match.ops[0] is not graph.ops[0] or (kernel.name, offer.variant) == one

        try:
            yield select(graph, core, allow=only)
        except EdgeTernaryError:  # it can run the op, but nothing can read what it makes
            continue


def points(case: Case, core: str, options: dict[str, object]) -> Iterator[Point]:
    """The steps of every plan of one case.

    A layer's own step is charged with everything that the image holds beside the other steps: routines that
    its function calls are part of it.
    """
    graph = case.graph()
    for plan in plans(graph, core):
        found = run_plan(plan, make.samples(graph.input, 1), options={**options, "count": 1})
        measured = {row["step"]: row for row in found.layers}
        if not measured.keys() >= set(range(len(plan.calls))):
            continue  # the compiler merged two steps: nobody knows which took what
        rows = [measured[index] for index in range(len(plan.calls))]
        flash = [
            int(r["code_bytes"] or 0) + step.table_bytes for step, r in zip(plan.calls, rows, strict=True)
        ]
        single = len(graph.ops) <= LAYER_OPS
        if single:
            main = next(i for i, step in enumerate(plan.calls) if step.ops)
            flash[main] = int(found.stats["flash_bytes"] or 0) - sum(flash) + flash[main]
        for step, row, size in zip(plan.calls, rows, flash, strict=True):
            cost, name = step.offer.cost, f"{case.name} {case.mode}"
            cycles = float(row["cycles"] or row["instructions"] or 0)
            yield Point(
                step.kernel.name, core, name, cost.cycles, cycles, cost.flash - step.kernel.code, size, single
            )


def measure(
    chosen: Sequence[Case],
    cores: Sequence[str],
    options: dict[str, object],
    progress: Callable[[str, int, int], None] = lambda text, done, total: None,
) -> list[Point]:
    """All points of the cases on the cores that have a timing model."""
    pairs = [(case, core) for case in chosen for core in cores if core not in LIKE]
    found: list[Point] = []
    for number, (case, core) in enumerate(pairs):
        progress(f"{case.name} {case.mode} {core}", number, len(pairs))
        found += points(case, core, options)
    return found


def factors(found: Sequence[Point]) -> dict[str, dict[str, tuple[float, int]]]:
    """{kernel: {core: (factor of cycles, bytes of code)}}, cores without a timing model included."""
    groups = _groups(found)
    result: dict[str, dict[str, tuple[float, int]]] = {}
    for (kernel, core), group in sorted(groups.items()):
        code = _code(group)
        result.setdefault(kernel, {})[core] = (round(_factor(group), 3), code)
    for by_core in result.values():
        for core, like in LIKE.items():
            if like in by_core:
                by_core[core] = by_core[like]
    return result


def errors(found: Sequence[Point]) -> list[Row]:
    """One row a kernel and core: points, factor, error after it (mean and worst, of cycles and of flash)."""
    rows: list[Row] = []
    for (kernel, core), group in sorted(_groups(found).items()):
        factor = _factor(group)
        code, sized = _code(group), _sized(group)
        off = [abs(point.ratio / factor - 1) for point in group]
        worst = max(group, key=lambda point: abs(log(point.ratio / factor)))
        flash = [abs((point.flash + code) / max(point.measured_flash, 1) - 1) for point in sized]
        row: dict[str, Any] = {
            "kernel": kernel, "core": core, "points": len(group), "factor": round(factor, 3),
            "mean_error": round(mean(off), 3), "worst_ratio": round(worst.ratio / factor, 3),
            "worst_layer": worst.case, "code_bytes": code, "mean_flash_error": round(mean(flash), 3),
        }  # fmt: skip
        rows.append(row)
    return rows


def _groups(found: Sequence[Point]) -> dict[tuple[str, str], list[Point]]:
    groups: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in found:
        groups[point.kernel, point.core].append(point)
    return groups


def _factor(group: Sequence[Point]) -> float:
    return exp(median(log(max(point.ratio, 1e-6)) for point in group))


def _sized(group: Sequence[Point]) -> list[Point]:
    """The points whose flash is known: layers, else all."""
    return [point for point in group if point.single] or list(group)


def _code(group: Sequence[Point]) -> int:
    return max(round(median(point.measured_flash - point.flash for point in _sized(group))), 0)
