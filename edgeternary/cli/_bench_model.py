"""bench MODEL: every layer of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._counting import Counting
from edgeternary.cli._inputs import choose_inputs
from edgeternary.cli._model import load_model
from edgeternary.cli._output import Progress, print_json, progress_bars, until_interrupted
from edgeternary.cli._sound import sounding

if TYPE_CHECKING:
    from edgeternary.ir import Graph

COLUMNS = (
    "core", "layer", "kernel", "macs", "instructions", "cycles", "cycles_most", "estimated_cycles",
    "estimate_error", "instructions_per_mac", "share",
)  # fmt: skip


def bench_model(
    model: str, cores: list[str], layer: str | None, sound: str | None, counting: Counting, as_json: bool
) -> None:
    """Print instructions and cycles of each layer of `model`, or of the layer called `layer`."""
    from edgeternary.report.tables import print_table

    graph = sounding(load_model(model), sound)
    if layer is not None:
        graph.op(layer)  # refuses an unknown name
    inputs, _ = choose_inputs(graph, model if sound is None else graph.name, None, counting.samples)
    with progress_bars() as progress:
        found, end = until_interrupted(_counted(graph, core, inputs, counting, progress) for core in cores)
    rows, totals = [row for layers, _ in found for row in layers], [total for _, total in found]
    rows = [row for row in rows if layer in (None, row["layer"])]
    if as_json:
        print_json({"model": graph.name, "samples": counting.samples, "layers": rows, "totals": totals})
        end()
        return
    shown: list[dict[str, Any]] = []
    for total_row in totals:
        shown += [row for row in rows if row["core"] == total_row["core"]]
        shown += [] if layer else [_ratio(total_row)]
    print_table(shown, COLUMNS)
    for total_row in totals:
        if total_row.get("timing"):
            built = f"{total_row['compiler']} -O{total_row['opt_level']}"
            click.echo(f"{total_row['core']}: {built}; cycles {total_row['timing']}")
    end()


def _counted(
    graph: Graph, core: str, inputs: Any, counting: Counting, progress: Progress
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of the layers on one core, and the row of the whole model."""
    from edgeternary.run.cortex_m import run_plan

    plan = counting.plan(graph, core)
    moved = lambda done, total: progress(core, done, total)  # noqa: E731
    result = run_plan(plan, inputs, options={**counting.options, "progress": moved})
    total = result.stats.get("instructions")
    estimates = {index: step.offer.cost.cycles for index, step in enumerate(plan.calls)}
    macs = {op.name: op.macs(graph.ins(op)) for op in graph.ops}
    rows = [_row(core, dict(found), macs, total, estimates) for found in result.layers]
    whole = {"core": core, "layer": "total", "macs": graph.macs(), **result.stats}
    return rows, _estimated(whole, plan.cycles)


def _row(
    core: str, found: dict[str, Any], macs: dict[str, int], total: Any, estimates: dict[int, float]
) -> dict[str, Any]:
    name = found.pop("name", "")
    row = {"core": core, "layer": name, "macs": macs.get(name) or None, **found}
    if total and row.get("instructions") is not None:
        row["share"] = round(row["instructions"] / total, 4)
    return _estimated(_ratio(row), estimates.get(row.get("step", -1)))


def _estimated(row: dict[str, Any], estimate: float | None) -> dict[str, Any]:
    """`row` with the estimate that the selection saw, and its error: estimated / measured cycles - 1."""
    row["estimated_cycles"] = None if estimate is None else round(estimate)
    cycles = row.get("cycles")
    row["estimate_error"] = round(estimate / cycles - 1, 3) if estimate is not None and cycles else None
    return row


def _ratio(row: dict[str, Any]) -> dict[str, Any]:
    """`row` with instructions per multiply-accumulate, where the layer has any."""
    if row.get("macs") and row.get("instructions") is not None:
        row["instructions_per_mac"] = round(row["instructions"] / row["macs"], 3)
    return row
