"""A board as one flat row, and all of them as tables of docs/boards.md."""

from collections.abc import Iterable
from typing import Any

from edgeternary.boards import Board, Emulator
from edgeternary.templating import render


def board_row(board: Board) -> dict[str, Any]:
    """name, title, kind, core, clock_hz, flash_bytes, ram_bytes, luts, ...; None where a board has none."""
    return {
        "name": board.name,
        "title": board.title,
        "kind": board.kind,
        "core": board.core or None,
        "clock_hz": board.clock_hz,
        "flash_bytes": board.flash.bytes if board.flash else None,
        "ram_bytes": board.ram.bytes if board.ram else None,
        "fpga": f"{board.fpga.family} {board.fpga.part} {board.fpga.package}" if board.fpga else None,
        "luts": board.fpga.luts if board.fpga else None,
        "ram_blocks": board.fpga.ram_blocks if board.fpga else None,
        "multipliers": board.fpga.multipliers if board.fpga else None,
        "emulator": _emulator(board.emulator),
        "port": board.port or None,
        "tools": ", ".join(board.tools) or None,
        "source": board.source,
    }


def boards_table(boards: Iterable[Board]) -> str:
    """Two Markdown tables: boards with a core, and FPGA boards."""
    rows = [board_row(board) for board in boards]
    fields = {"cores": [row for row in rows if row["core"]], "fpgas": [row for row in rows if row["fpga"]]}
    return render("report/boards.md.j2", fields)


def _emulator(emulator: Emulator | None) -> str | None:
    if emulator is None:
        return None
    return f"qemu-system-arm -M {emulator.qemu}" if emulator.qemu else "rp2040js"
