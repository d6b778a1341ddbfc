"""From a graph to C that a bench can be built around."""

from functools import lru_cache

from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run._bench import BenchModel, ports_of


@lru_cache(maxsize=16)  # a policy in closed loop is run hundreds of times
def render(graph: Graph, core: str, taps: bool = False, optimize: str = "cycles") -> BenchModel:
    """C of `graph` for "host" or a Cortex-M core; with `taps`, it hands out the values at kernel borders."""
    return of_plan(select(graph, core, optimize), taps)


def of_plan(plan: Plan, taps: bool = False) -> BenchModel:
    """The same for a plan that is there already."""
    return BenchModel(
        prefix=identifier(plan.graph.name),
        sources=render_plan(plan, taps),
        taps=tuple(plan.taps) if taps else (),
        steps=tuple((step.layer, step.kernel.name) for step in plan.calls),
        several=ports_of(plan.graph),
    )
