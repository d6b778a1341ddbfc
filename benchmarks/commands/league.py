"""bench-league: networks on FPGAs, ours and those of other projects, counted by one yosys."""

from pathlib import Path

import click

from benchmarks import league, league_page, league_plot
from benchmarks.commands._options import (
    chosen,
    document_option,
    only_option,
    read_rows,
    rows_option,
    write_page,
)
from edgeternary.cli._output import json_option, note, print_rows
from edgeternary.cli._tools import yosys_option

COLUMNS = (
    "group", "name", "data", "accuracy", "accuracy_of", "lut6", "lut4_ecp5", "lut4_ice40", "latency",
    "interval",
)  # fmt: skip


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@only_option
@document_option
@rows_option
@click.option(
    "--fabric",
    multiple=True,
    type=click.Choice(list(league.FAMILIES)),
    help="Only in this one; may be repeated.",
)
@yosys_option
@json_option
def command(
    folder: Path | None,
    only: tuple[str, ...],
    document: Path | None,
    rows: Path | None,
    fabric: tuple[str, ...],
    yosys: str,
    as_json: bool,
) -> None:
    """Networks of the zoo, and those whose Verilog lies in FOLDER: LUTs in three fabrics, accuracy, latency.

    docs/league.md says what FOLDER holds. Without it the document keeps the rows that it has of others.
    """
    if rows is not None:
        found = read_rows(rows)
    else:
        counter = league.Counter(yosys, note, fabric or tuple(league.FAMILIES))
        found = list(league.measure(chosen(league.entries(folder), only, "network"), counter))
    if document is None:
        print_rows([{**row, **_luts(row)} for row in found], COLUMNS, as_json)
        return
    data = document.with_suffix(".json")
    if data.is_file() and rows is None:
        measured = () if only or fabric else (league.OURS, league.RIVAL) if folder else (league.OURS,)
        found = league.merged([row for row in read_rows(data) if row["group"] not in measured], found)
    write_page(document, league_page.document(found, document.stem), found, svg=league_plot.svg(found))


def _luts(row: league.Row) -> dict[str, int]:
    names = {"xc7": "lut6", "ecp5": "lut4_ecp5", "ice40": "lut4_ice40"}
    return {names[fabric]: count["luts"] for fabric, count in row["counts"].items()}
