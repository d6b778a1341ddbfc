"""edgeternary bench: instructions and cycles of every layer on emulated cores."""

from __future__ import annotations

from typing import Any

import click

from edgeternary.cli._inputs import choose_inputs
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import json_option, print_json, progress_bars
from edgeternary.cli._tools import compiler_option, optimize_option
from edgeternary.errors import USAGE, EdgeTernaryError

COLUMNS = ("core", "layer", "kernel", "macs", "instructions", "cycles", "instructions_per_mac", "share")


@click.command()
@model_argument
@click.option("--on", default="cortex-m0plus,cortex-m4", show_default=True, help="Cores, comma-separated.")
@click.option("--layer", help="Only this layer.")
@click.option(
    "--samples", type=click.IntRange(1), default=1, show_default=True, help="Count on so many samples."
)
@compiler_option
@optimize_option
@json_option
def command(
    model: str, on: str, layer: str | None, samples: int, compiler: str, optimize: str, as_json: bool
) -> None:
    """Count instructions and cycles of each layer of MODEL on emulated Cortex-M cores."""
    from edgeternary.report.tables import print_table
    from edgeternary.run import run

    graph = load_model(model)
    if layer is not None:
        graph.op(layer)  # refuses an unknown name
    inputs, _ = choose_inputs(graph, model, None, samples)
    rows: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    macs = {op.name: op.macs(graph.ins(op)) for op in graph.ops}
    with progress_bars() as progress:
        for core in [name.strip() for name in on.split(",") if name.strip()]:
            if not core.startswith("cortex-m"):
                why = "only their instructions are counted"
                raise EdgeTernaryError(f"{core!r} is no Cortex-M core", why, "--on cortex-m4", USAGE)
            options: dict[str, object] = {"count": samples, "compiler": compiler, "optimize": optimize}
            options["progress"] = lambda done, total, name=core: progress(name, done, total)
            result = run(graph, inputs, on=core, options=options)
            total = result.stats.get("instructions")
            for found in result.layers:
                rows.append(_row(core, dict(found), macs, total))
            totals.append({"core": core, "layer": "total", "macs": graph.macs(), **result.stats})
    rows = [row for row in rows if layer in (None, row["layer"])]
    if as_json:
        print_json({"model": graph.name, "samples": samples, "layers": rows, "totals": totals})
        return
    shown: list[dict[str, Any]] = []
    for total_row in totals:
        shown += [row for row in rows if row["core"] == total_row["core"]]
        shown += [] if layer else [_ratio(total_row)]
    print_table(shown, COLUMNS)
    for total_row in totals:
        if total_row.get("timing"):
            built = f"{total_row['compiler']} -O{total_row['optimize']}"
            click.echo(f"{total_row['core']}: {built}; cycles {total_row['timing']}")


def _row(core: str, found: dict[str, Any], macs: dict[str, int], total: Any) -> dict[str, Any]:
    name = found.pop("name", "")
    row = {"core": core, "layer": name, "macs": macs.get(name) or None, **found}
    if total and row.get("instructions") is not None:
        row["share"] = round(row["instructions"] / total, 4)
    return _ratio(row)


def _ratio(row: dict[str, Any]) -> dict[str, Any]:
    """`row` with instructions per multiply-accumulate, where the layer has any."""
    if row.get("macs") and row.get("instructions") is not None:
        row["instructions_per_mac"] = round(row["instructions"] / row["macs"], 3)
    return row
