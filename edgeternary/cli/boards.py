"""edgeternary boards: which boards are known, and which of them would do."""

from __future__ import annotations

import click

from edgeternary.cli._output import json_option, note, print_json
from edgeternary.cli._sizes import Size


@click.command()
@click.argument("name", required=False)
@click.option(
    "--min-ram", type=Size(), default=0, help="List only boards with at least this much RAM, such as 42k."
)
@click.option("--min-flash", type=Size(), default=0, help="List only boards with at least this much flash.")
@click.option("--min-luts", type=int, default=0, help="List only FPGAs with at least this number of LUTs.")
@click.option("--kind", type=click.Choice(["mcu", "fpga", "emulated"]), help="List only boards of this kind.")
@click.option("--core", help="List only boards with this core, such as cortex-m4.")
@click.option("--markdown", is_flag=True, help="Print the tables of docs/boards.md.")
@json_option
def command(
    name: str | None,
    min_ram: int,
    min_flash: int,
    min_luts: int,
    kind: str | None,
    core: str | None,
    markdown: bool,
    as_json: bool,
) -> None:
    """List the known boards, or show one board NAME."""
    from edgeternary.boards import load_all, load_board
    from edgeternary.report.boards import board_row, boards_table
    from edgeternary.report.tables import print_table

    if markdown:
        click.echo(boards_table(load_all().values()), nl=False)
        return
    rows = [board_row(board) for board in ([load_board(name)] if name else load_all().values())]
    rows = [
        row
        for row in rows
        if (row["ram_bytes"] or 0) >= min_ram
        and (row["flash_bytes"] or 0) >= min_flash
        and (row["luts"] or 0) >= min_luts
        and kind in (None, row["kind"])
        and core in (None, row["core"])
    ]
    if as_json:
        print_json(rows)
    elif name:
        for key, content in rows[0].items() if rows else ():
            if content not in (None, ""):
                click.echo(f"{key:12} {content:,}" if isinstance(content, int) else f"{key:12} {content}")
    elif rows:
        columns = ("name", "title", "kind", "core", "flash_bytes", "ram_bytes", "luts", "clock_hz")
        print_table(rows, columns)
    else:
        note("no board fits these conditions; another board is one file: see docs/boards.md")
