"""bench-cycles: modelled cycles beside those that others measured on a chip."""

from pathlib import Path

import click

from benchmarks import cycles
from benchmarks.commands._options import document_option, only_option, read_rows, rows_option, write_page
from benchmarks.cycles_page import document as page
from edgeternary.cli._output import json_option, print_rows
from edgeternary.errors import USAGE, EdgeTernaryError

COLUMNS = (
    "core", "program", "source", "chip", "wait_states", "instructions", "published", "modelled", "error",
)  # fmt: skip


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@only_option
@document_option
@rows_option
@json_option
def command(
    folder: Path | None, only: tuple[str, ...], document: Path | None, rows: Path | None, as_json: bool
) -> None:
    """Programs of other projects, whose images lie in FOLDER: modelled cycles over published ones.

    docs/cycles.md says what an image is.
    """
    if rows is not None:
        found = read_rows(rows)
    elif folder is not None:
        found = list(cycles.measure(folder, only))
    else:
        raise EdgeTernaryError(
            "there is nothing to measure", "FOLDER is missing", "name a folder with images", USAGE
        )
    if document is None:
        print_rows(found, COLUMNS, as_json)
    else:
        write_page(document, page(found, document.with_suffix(".json").name), found)
