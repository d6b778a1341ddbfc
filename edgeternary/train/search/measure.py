"""Figures of trained networks on a core: plans from the fastest to the smallest, run in the emulator."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeternary.c.plan import Plan
from edgeternary.c.select import Budget, NoPlan, Planner
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.run.cortex_m import run_plan
from edgeternary.run.inputs import arranged
from edgeternary.train.data import Array
from edgeternary.train.search.goals import Goals
from edgeternary.train.search.knapsack import front

Row = dict[str, Any]
SAMPLES = 4  # whose outputs are compared with numpy's
SPARE = 256  # bytes
BETWEEN = (0.25, 0.5)  # of the way from the least flash to that of the fastest plan


def rows(graph: Graph, core: str, images: Array, goals: Goals, options: dict[str, object]) -> list[Row]:
    """One row for each plan of the graph, fastest first: cycles, flash_bytes, ram_bytes, mismatches, kernels.

    images  samples (n, H, W, C), of which a few are run
    """
    planner, inputs = Planner(graph, core), arranged(graph, images[:SAMPLES])
    found = [_row(plan, inputs, options) for plan in plans(planner, goals)]
    if goals.max_flash is not None and (plan := _chosen(planner, goals.max_flash)):
        row = _row(plan, inputs, options)
        over = row["flash_bytes"] - goals.max_flash  # what the estimate leaves out
        smaller = _chosen(planner, plan.flash_bytes - over - SPARE) if over > 0 else None
        found.append(row if smaller is None else _row(smaller, inputs, options))
    unique = {(row["cycles"], row["flash_bytes"]): row for row in found}
    return [unique[key] for key in sorted(unique)]


def _row(plan: Plan, inputs: Array, options: dict[str, object]) -> Row:
    result = run_plan(plan, inputs, options=options)
    different = result.outputs != run(plan.graph, inputs).outputs
    return {
        **{key: result.stats.get(key) for key in ("cycles", "flash_bytes", "ram_bytes", "compiler")},
        "mismatches": int(np.any(different.reshape(len(inputs), -1), axis=1).sum()),
        "kernels": "+".join(dict.fromkeys(step.kernel.name for step in plan.calls)),
    }


def plans(planner: Planner, goals: Goals) -> list[Plan]:
    """The fastest plan, some in between, the smallest, and the smallest within the limit of cycles."""
    flash = sorted(size for _, size in planner.figures())
    limits = [flash[0] + (flash[-1] - flash[0]) * share for share in (0.0, *BETWEEN, 1.0)]
    found = [_chosen(planner, limit) for limit in limits]
    if goals.max_cycles is not None:
        found.append(planner.least("flash", Budget(cycles=goals.max_cycles)))
    return list({(plan.cycles, plan.flash_bytes): plan for plan in found if plan is not None}.values())


def _chosen(planner: Planner, flash: float) -> Plan | None:
    """The fastest plan within `flash` bytes, None where there is none."""
    try:
        return planner.choose("cycles", Budget(flash=int(flash)))
    except NoPlan:
        return None


def mark_front(found: list[Row]) -> None:
    """Sets "front" of each row: whether no other equals or beats it in validation, cycles and flash."""
    figures = [(-row["validation"], row["cycles"], row["flash_bytes"], i) for i, row in enumerate(found)]
    kept = {label[3] for label in front(figures)}
    for i, row in enumerate(found):
        row["front"] = i in kept
