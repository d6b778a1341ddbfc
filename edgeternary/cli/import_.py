"""edgeternary import: a model of another tool as a graph, with what became of each of its operators."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._record import record

if TYPE_CHECKING:
    from edgeternary.frontends.imported import Imported
    from edgeternary.ir import Graph

COLUMNS = ("name", "was", "shape", "type", "became")
NAMED = 3  # operators that a note names
_FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class Ends:
    """Where the graph starts and ends, and its name."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Checked:
    """The comparison with the original."""

    path: Path | None
    samples: int | None


end_options = record(
    "ends",
    Ends,
    click.option("--from", "inputs", multiple=True, metavar="LAYER", help="Start after this operator."),
    click.option("--until", "outputs", multiple=True, metavar="LAYER", help="End with this operator."),
    click.option("--name", default="", metavar="NAME", help="Name of the model; default: the file's."),
)
format_options = record(
    "options",
    dict,
    click.option("--input-type", metavar="TYPE", help="ONNX without input quantiser: uint8, ..."),
    click.option("--input-scale", type=float, help="ONNX: float value of one step of these codes."),
    click.option("--dt", type=float, help="NIR: length of a time step."),
    click.option("--inexact", is_flag=True, default=None, help="NIR: take leaky neurons, which round."),
)
check_options = record(
    "checked",
    Checked,
    click.option("--inputs", "path", type=_FILE, help="Compare with the original on codes or floats."),
    click.option("--samples", type=click.IntRange(1), help="Compare on N random samples (or the first N)."),
)


@verb(name="import")
@click.argument("file", type=_FILE)
@click.option("-o", "--output", "target", type=_FILE, help="Write the graph to this .et file.")
@end_options
@format_options
@check_options
@json_option
def command(
    file: Path,
    target: Path | None,
    ends: Ends,
    options: dict[str, Any],
    checked: Checked,
    as_json: bool,
) -> None:
    """Show what each operator of FILE (.tflite, .onnx, .nir) becomes.

    With --inputs or --samples the file also runs in the engine of its format, and every integer is compared;
    exit code 4 where one differs. All verbs take such a file as MODEL.

    \b
    Example:
      edgeternary import kws.tflite -o kws.et --samples 100
    """
    from edgeternary.frontends.files import read
    from edgeternary.ir.file import save

    given = {key: value for key, value in options.items() if value is not None}
    found = read(file, name=ends.name, inputs=ends.inputs, outputs=ends.outputs, **given)
    if target:
        save(found.graph, target)
    judged = _judge(found.graph, file, checked) if checked.path or checked.samples else {}
    if as_json:
        print_json({**found.data(), **_size(found.graph), **judged})
    else:
        _show(found, judged)
    if target:
        note(f"wrote {target}")


def _judge(graph: Graph, file: Path, checked: Checked) -> dict[str, Any]:
    """Samples and mismatches of the original file against the graph; EdgeTernaryError (code 4) for any."""
    import numpy as np

    from edgeternary import quantize
    from edgeternary.cli._inputs import choose_inputs, load_inputs
    from edgeternary.run.compare import compare, not_bit_exact

    if checked.path:
        inputs, _ = load_inputs(checked.path, graph)
        if len(graph.inputs) == 1 and np.issubdtype(np.asarray(inputs).dtype, np.floating):
            inputs = quantize(graph, inputs)
        inputs = inputs[: checked.samples] if len(graph.inputs) == 1 else inputs
    else:
        inputs, _ = choose_inputs(graph, str(file), None, checked.samples)
    options = {"original": {"original": str(file)}}
    (result,) = compare(graph, inputs, ["original"], options=options)
    if result.mismatches:
        raise not_bit_exact(graph, result)
    engine = ", ".join(f"{key} {value}" for key, value in result.result.stats.items())
    return {"samples": result.samples, "mismatches": 0, "engine": engine}


def _size(graph: Graph) -> dict[str, Any]:
    from edgeternary.ir.text import weight_bits

    return {"macs": graph.macs(), "weight_bytes": weight_bits(graph) / 8}


def _grouped(found: Imported) -> list[str]:
    """Each note of the operators once, with the names of those that it is about."""
    about: dict[str, list[str]] = {}
    for row in found.rows:
        if row.note:
            about.setdefault(row.note, []).append(row.name)
    return [
        f"{', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}: {text}"
        for text, names in about.items()
    ]


def _show(found: Imported, judged: dict[str, Any]) -> None:
    from edgeternary.report.tables import print_table

    rows = [{**row, "shape": "x".join(map(str, row["shape"]))} for row in found.data()["layers"]]
    size = _size(found.graph)
    footer = f"{size['macs']:,} multiply-accumulates, {size['weight_bytes']:,.0f} bytes of packed weights"
    print_table(rows, COLUMNS, footer=footer)
    for text in (*_grouped(found), *found.notes):
        click.echo(f"note: {text}")
    if judged:
        click.echo(f"Every bit is equal: {judged['samples']:,} samples, compared with {judged['engine']}.")
