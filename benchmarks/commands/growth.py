"""bench-growth: CPU time and memory from a torch model to its answers on this machine, over its size."""

from pathlib import Path

import click

from benchmarks import growth
from benchmarks.commands._options import document_option, read_rows, rows_option, write_page
from benchmarks.growth_page import document as page
from benchmarks.growth_page import svg
from edgeternary.cli._output import json_option, print_rows, progress_bars
from edgeternary.cli._record import defaulted
from edgeternary.cli._tools import compiler_option

COLUMNS = ("layers", "weights", *growth.STAGES, "memory_bytes", "file_bytes", "c_bytes", "mismatches")


def _numbers(context: click.Context, option: click.Parameter, text: str) -> list[int]:
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 2:
        raise click.BadParameter("give numbers of 2 and more, such as 25,50,100")
    return found


@click.command()
@defaulted("--layers", callback=_numbers, default="25,50,100,200", metavar="LIST", help="Numbers of layers.")
@defaulted("--width", type=click.IntRange(4, 2000), default=growth.WIDTH, help="Inputs and outputs of each.")
@compiler_option
@document_option
@rows_option
@json_option
def command(
    layers: list[int], width: int, compiler: str, document: Path | None, rows: Path | None, as_json: bool
) -> None:
    """Networks of more and more ternary layers: CPU seconds of each stage, and memory."""
    if rows is not None:
        found = read_rows(rows)
    else:
        found = []
        with progress_bars() as progress:
            for number, count in enumerate(layers):
                progress(f"{count} layers", number, len(layers), "growth")
                found.append(growth.measure(count, width, compiler=compiler))
    if document is None:
        print_rows(found, COLUMNS, as_json)
    else:
        write_page(document, page(found, document.stem), found, svg=svg(found))
