"""edgeternary boards: which boards are known, and which of them would do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._names import CoreName, complete_board
from edgeternary.cli._output import json_option, markdown_option, note, print_json, write_text
from edgeternary.cli._record import record
from edgeternary.cli._sizes import Count, Size

KINDS = ("mcu", "fpga", "emulated")


@dataclass(frozen=True)
class Needs:
    """What a board must have: bytes and LUTs at least, and this kind and core where they are named."""

    min_ram: int
    min_flash: int
    min_luts: int
    kind: str | None
    core: str | None

    def met_by(self, row: dict[str, Any]) -> bool:
        """row: see report.boards.board_row."""
        sizes = {"ram_bytes": self.min_ram, "flash_bytes": self.min_flash, "luts": self.min_luts}
        enough = all((row[word] or 0) >= least for word, least in sizes.items())
        return enough and self.kind in (None, row["kind"]) and self.core in (None, row["core"])


filter_options = record(
    "needs",
    Needs,
    click.option("--min-ram", type=Size(), default=0, help="Boards with at least this much RAM, as 42k."),
    click.option("--min-flash", type=Size(), default=0, help="Boards with at least this much flash."),
    click.option("--min-luts", type=Count(), default=0, help="FPGAs with at least this number of LUTs."),
    click.option(
        "--kind",
        type=click.Choice(["mcu", "fpga", "emulated"]),
        metavar="KIND",
        help="mcu, fpga or emulated.",
    ),
    click.option("--core", type=CoreName(native=False), help="Boards with this core, as m4."),
)


@verb()
@click.argument("name", required=False, shell_complete=complete_board)
@filter_options
@markdown_option
@json_option
def command(name: str | None, needs: Needs, markdown: Path | None, as_json: bool) -> None:
    """List the known boards, or show the board NAME.

    \b
    Example:
      edgeternary boards --min-ram 42k --kind mcu
    """
    from edgeternary.boards import load_all, load_board
    from edgeternary.report.boards import board_row, boards_table
    from edgeternary.report.tables import cell, print_table, wrapped

    if markdown:
        write_text(markdown, boards_table(load_all().values()))
        return
    rows = [board_row(board) for board in ([load_board(name)] if name else load_all().values())]
    rows = [row for row in rows if needs.met_by(row)]
    if as_json:
        print_json(rows)
    elif name:
        for key, content in rows[0].items() if rows else ():
            if content not in (None, ""):
                click.echo(wrapped(f"{key:14}{cell(content)}", 14))
    elif rows:
        columns = ("name", "title", "kind", "core", "flash_bytes", "ram_bytes", "luts", "clock_hz")
        print_table(rows, columns)
    else:
        note("no board fits these conditions; another board is one file: see docs/boards.md")
