"""Many plans in one program, as tests/registry/fleet.py has many graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeternary.c.plan import Plan
from edgeternary.ir import IntArray
from edgeternary.run._model import of_plan
from tests.registry import fleet


@dataclass(frozen=True)
class PlanFleet(fleet.Fleet):
    """Each member has its own plan, which need not be the best one."""

    plans: tuple[Plan, ...] = ()

    @staticmethod
    def of_plans(plans: Sequence[Plan], seed: int = 0) -> PlanFleet:
        """The worst cases of an input are among its codes."""
        whole = fleet.Fleet.of([plan.graph for plan in plans], samples=2, steps=3, seed=seed)
        renamed = [replace(p, graph=graph) for p, graph in zip(plans, whole.members, strict=True)]
        return PlanFleet(whole.members, whole.codes, tuple(renamed))

    @staticmethod
    def of_codes(plans: Sequence[Plan], codes: Sequence[IntArray]) -> PlanFleet:
        """With these inputs, (samples, *shape) for each plan without states; the first one fills up."""
        renamed = [replace(p, graph=replace(p.graph, name=f"m{i}")) for i, p in enumerate(plans)]
        samples = max(map(len, codes))
        filled = tuple(np.concatenate([x, *[x[:1]] * (samples - len(x))])[:, None] for x in codes)
        return PlanFleet(tuple(plan.graph for plan in renamed), filled, tuple(renamed))

    def sources(self, core: str, optimize: str = "cycles") -> dict[str, str]:
        assert all(plan.core.name == core for plan in self.plans)
        return {name: text for plan in self.plans for name, text in of_plan(plan).sources.items()}
