"""bench-boards: images of models for boards, built and verified in emulators."""

from pathlib import Path

import click

from benchmarks import boards
from benchmarks.boards_page import document as page
from benchmarks.commands._options import (
    chosen,
    document_option,
    only_option,
    read_rows,
    rows_option,
    write_page,
)
from edgeternary.cli._output import json_option, note, print_rows
from edgeternary.cli._record import defaulted
from edgeternary.cli._tools import yosys_option
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError

COLUMNS = (
    "model", "board", "by", "samples", "mismatches", "cycles", "flash_bytes", "ram_bytes", "stack_bytes",
    "luts", "seconds",
)  # fmt: skip


@click.command()
@only_option
@defaulted("--samples", type=click.IntRange(1), default=1, help="Number of test samples.")
@document_option
@rows_option
@yosys_option
@json_option
def command(
    only: tuple[str, ...], samples: int, document: Path | None, rows: Path | None, yosys: str, as_json: bool
) -> None:
    """Images for boards, built, and verified in emulators. Exit code 4 where an output differs."""
    if rows is not None:
        found = read_rows(rows)
    else:
        found = list(boards.measure(chosen(boards.ENTRIES, only, "image"), samples, yosys, note))
    if document is not None:
        data = document.with_suffix(".json")
        if only and data.is_file():  # the other rows stay
            found = boards.merged(read_rows(data), found)
        write_page(document, page(found, data.name), found)
    else:
        print_rows(found, COLUMNS, as_json)
    wrong = [row for row in found if row["mismatches"]]
    if wrong:
        raise EdgeTernaryError(
            f"{wrong[0]['model']} is not bit-exact on {wrong[0]['board']}",
            f"{wrong[0]['mismatches']} of {wrong[0]['samples']} samples differ: {wrong[0]['difference']}",
            f"edgeternary verify FOLDER --emulate --seed {wrong[0]['seed']}",
            NOT_BIT_EXACT,
        )
