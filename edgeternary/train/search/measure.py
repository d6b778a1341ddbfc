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
BETWEEN = (0.25, 0.5)  # of the way from the least flash to that of the fastest plan


def rows(graph: Graph, core: str, images: Array, goals: Goals, options: dict[str, object]) -> list[Row]:
    """One row for each plan of the graph, fastest first: cycles, flash_bytes, ram_bytes, mismatches, kernels.

    images  samples (n, H, W, C), of which a few are run
    """
    inputs = arranged(graph, images[:SAMPLES])
    expected = run(graph, inputs).outputs
    found = []
    for plan in plans(Planner(graph, core), goals):
        result = run_plan(plan, inputs, options=options)
        wrong = np.any((result.outputs != expected).reshape(len(inputs), -1), axis=1)
        stats = result.stats
        found.append(
            {
                **{key: stats.get(key) for key in ("cycles", "flash_bytes", "ram_bytes", "compiler")},
                "mismatches": int(wrong.sum()),
                "kernels": "+".join(dict.fromkeys(step.kernel.name for step in plan.calls)),
            }
        )
    return found


def plans(planner: Planner, goals: Goals) -> list[Plan]:
    """The fastest plan, some in between, the smallest, and the fastest within the limit of flash."""
    flash = sorted(size for _, size in planner.figures())
    limits = [flash[0] + (flash[-1] - flash[0]) * share for share in (0.0, *BETWEEN, 1.0)]
    limits = sorted(limits + ([] if goals.max_flash is None else [goals.max_flash]), reverse=True)
    found: dict[tuple[float, int], Plan] = {}
    for limit in limits:
        try:
            plan = planner.choose("cycles", Budget(flash=int(limit)))
        except NoPlan:
            continue
        found[plan.cycles, plan.flash_bytes] = plan
    return list(found.values())


def mark_front(found: list[Row]) -> None:
    """Sets "front" of each row: whether no other equals or beats it in validation, cycles and flash."""
    figures = [(-row["validation"], row["cycles"], row["flash_bytes"], i) for i, row in enumerate(found)]
    kept = {label[3] for label in front(figures)}
    for i, row in enumerate(found):
        row["front"] = i in kept
