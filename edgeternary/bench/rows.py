"""Measuring a graph on an emulated core: one row, in the words that reports use."""

from typing import Any

import numpy as np

from edgeternary.bench import int8, make
from edgeternary.bench.layers import Layer
from edgeternary.bench.modes import Mode
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.run.compare import joined
from edgeternary.run.cortex_m import run_plan

CHECKED = 4  # random samples whose outputs are compared; two extreme ones come on top

Row = dict[str, Any]


def measure(graph: Graph, core: str, options: dict[str, object], plan: Plan | None = None) -> Row:
    """Instructions, cycles, bytes and mismatches of `graph` on `core`, with the plan that `options` choose.

    options  of the executor: compiler, opt_level, optimize, count
    plan     the one to measure in place of it
    """
    return measure_plan(plan or select(graph, core, str(options.get("optimize", "cycles"))), options)


def measure_plan(plan: Plan, options: dict[str, object], checked: int = CHECKED) -> Row:
    """The same for a plan.

    mismatches  samples of checked + 2 whose complete output differs from numpy's
    """
    graph = plan.graph
    inputs = make.inputs(graph, checked)
    result = run_plan(plan, inputs, options=options)
    expected = joined(graph, run(graph, inputs).outputs).reshape(len(inputs), -1)
    wrong = np.any(result.outputs.reshape(len(inputs), -1) != expected, axis=1)
    stats, macs = result.stats, graph.macs()
    return {
        "macs": macs,
        "instructions": stats.get("instructions"),
        "cycles": stats.get("cycles"),
        **{key: stats[key] for key in ("cycles_most", "timing") if key in stats},
        "instructions_per_mac": _per(stats.get("instructions"), macs),
        "cycles_per_mac": _per(stats.get("cycles"), macs),
        "flash_bytes": stats.get("flash_bytes"),
        "ram_bytes": stats.get("ram_bytes"),
        "compiler": stats.get("compiler"),
        "opt_level": stats.get("opt_level"),
        "samples": len(inputs),
        "mismatches": int(wrong.sum()),
        "kernels": "+".join(dict.fromkeys(step.kernel.name for step in plan.calls)),
        "estimated_cycles": round(plan.cycles),
        "estimated_flash_bytes": plan.flash_bytes,
    }


def layer_row(
    layer: Layer, graph: Graph, mode: Mode, core: str, options: dict[str, object], plan: Plan | None = None
) -> Row:
    """The row of one layer beside the published int8 layer that is nearest to it.

    flash_per_weight  bytes of code and constants for each weight
    """
    baseline, nearest = int8.per_mac(layer, core)
    what: Row = {"layer": layer.name, "mode": str(mode), "core": core}
    found = {**what, **measured(graph, core, options, plan)}
    found["flash_per_weight"] = _per(found["flash_bytes"], layer.taps * layer.out)
    return beside(found, baseline, nearest)


def measured(graph: Graph, core: str, options: dict[str, object], plan: Plan | None = None) -> Row:
    """The figures of `measure`, and what they were optimised for."""
    return {"optimize": options.get("optimize", "cycles"), **measure(graph, core, options, plan)}


def beside(found: Row, baseline: float | None, of: str) -> Row:
    """A row with the instructions per MAC that were published `of` a layer or network, and the ratio."""
    ours = found["instructions_per_mac"]
    return {
        **found,
        "baseline_layer": of,
        "baseline_instructions_per_mac": None if baseline is None else round(baseline, 4),
        "ratio": round(baseline / ours, 3) if baseline and ours else None,
    }


def _per(total: object, count: int) -> float | None:
    return round(total / count, 4) if isinstance(total, int | float) and count else None
