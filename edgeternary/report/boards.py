"""A board as one flat row, and all of them as tables of docs/boards.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgeternary.boards import Board, Emulator

CORES = ("name", "board", "core", "MHz", "flash", "RAM", "chip", "emulator", "tools")
FPGAS = ("name", "board", "FPGA", "MHz", "LUTs", "block RAMs", "tools")


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
    cores = [_core_line(row) for row in rows if row["core"]]
    fpgas = [
        [*_name(row), row["fpga"], _mhz(row), f"{row['luts']:,}", row["ram_blocks"], row["tools"] or ""]
        for row in rows
        if row["fpga"]
    ]
    return _table(CORES, cores) + "\n" + _table(FPGAS, fpgas)


def _core_line(row: dict[str, Any]) -> list[Any]:
    sizes = [f"{row[word] // 1024:,} KB" for word in ("flash_bytes", "ram_bytes")]
    emulator = (row["emulator"] or "").replace("qemu-system-arm -M", "QEMU")
    return [*_name(row), row["core"], _mhz(row), *sizes, row["port"], emulator, row["tools"] or ""]


def _name(row: dict[str, Any]) -> tuple[str, str]:
    return f"`{row['name']}`", row["title"]


def _mhz(row: dict[str, Any]) -> str:
    return f"{row['clock_hz'] / 1e6:g}"


def _table(head: tuple[str, ...], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _emulator(emulator: Emulator | None) -> str | None:
    if emulator is None:
        return None
    return f"qemu-system-arm -M {emulator.qemu}" if emulator.qemu else "rp2040js"
