"""bench-fpga: networks as hardware, built and measured."""

from pathlib import Path

import click

from benchmarks import fpga, fpga_page
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
    "model", "device", "test_accuracy", "luts", "predicted_luts", "ffs", "logic_cells", "ram_blocks",
    "fmax_mhz", "cycles", "predicted_cycles", "frames_per_s", "latency_us", "frames", "mismatches",
)  # fmt: skip


@click.command()
@only_option
@document_option
@rows_option
@yosys_option
@json_option
def command(
    only: tuple[str, ...], document: Path | None, rows: Path | None, yosys: str, as_json: bool
) -> None:
    """Networks on FPGAs: placed and routed, and frames through the RTL compared with numpy.

    Keywords and pictures are read from the folders that docs/tiny.md names.
    """
    if rows is not None:
        found = read_rows(rows)
    else:
        entries = chosen(fpga.ENTRIES, only, "design")
        found = list(fpga.measure(entries, yosys, True, note))
    if document is None:
        print_rows(found, COLUMNS, as_json)
        return
    data, ladders = document.with_suffix(".json"), fpga_page.read_ladders(document.parent)
    if only and data.is_file():  # the other rows stay
        found = fpga.merged(read_rows(data), found)
    write_page(document, fpga_page.document(found, data.name, ladders, fpga.older(found)), found)
