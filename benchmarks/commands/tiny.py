"""bench-tiny: MLPerf Tiny's official models and our networks beside CMSIS-NN and silicon."""

import json
import os
from pathlib import Path

import click

from benchmarks import tiny, tiny_page
from benchmarks.commands._options import document_option, only_option, read_rows, rows_option, write_page
from edgeternary.cli._counting import Counting, counting_options
from edgeternary.cli._output import json_option, note_timing, print_rows, progress_bars
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError

HARDWARE = Path(__file__).parents[2] / "docs" / "fpga.json"
VARIABLE = "EDGETERNARY_MLPERF_TINY"


@click.command()
@click.option(
    "--models", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=f"Folder of the official .tflite files; default: the variable {VARIABLE}.",
)  # fmt: skip
@only_option
@document_option
@rows_option
@counting_options
@json_option
def command(
    models: Path | None, only: tuple[str, ...], document: Path | None, rows: Path | None, counting: Counting,
    as_json: bool,
) -> None:  # fmt: skip
    """The official int8 models of MLPerf Tiny and our networks, beside CMSIS-NN and published silicon.

    Default: M0+, M4, M7 and M33.
    """
    kept = document.with_suffix(".json") if document is not None else None
    if rows is not None:
        found = read_rows(rows)
    else:
        found = _measured(_folder(models), only, counting, kept)
    if document is None:
        print_rows(tiny_page.beside(found), tiny_page.COLUMNS, as_json)
        note_timing(() if as_json else found, "core")
    else:
        page = tiny_page.document(found, document.stem, read_rows(HARDWARE))
        write_page(document, page, found, svg=tiny_page.svg(found))


def _folder(models: Path | None) -> Path:
    named = models or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is None or not named.is_dir():
        raise EdgeTernaryError(
            "no folder of models", f"--models is missing, and {VARIABLE} names no folder",
            "copy the files of mlcommons/tiny into one; docs/tiny.md says which", USAGE,
        )  # fmt: skip
    return named


def _measured(folder: Path, only: tuple[str, ...], counting: Counting, kept: Path | None) -> list[tiny.Row]:
    """The rows; those of a document stay where they are not measured, and each is written as it comes."""
    found: list[tiny.Row] = []
    known = read_rows(kept) if kept is not None and kept.is_file() else []
    cores = counting.cores_or(",".join(tiny.CORES))
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "tiny")  # noqa: E731
        for row in tiny.measure(tiny.entries(folder, only), cores, counting.options, moved):
            found.append(row)
            if kept is not None:
                kept.write_text(json.dumps(tiny.merged(known, found), indent=1) + "\n", encoding="utf-8")
    wrong = sum(row["mismatches"] for row in found)
    if wrong:
        raise EdgeTernaryError(
            f"{wrong} samples differ", "an executor is not exact", "report this as a bug", NOT_BIT_EXACT
        )
    return tiny.merged(known, found)
