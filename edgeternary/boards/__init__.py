"""Boards: microcontrollers, FPGAs and emulated machines, one TOML file each."""

from edgeternary.boards.board import (
    TOOLS,
    Board,
    Emulator,
    Fpga,
    Memory,
    Uart,
    is_known,
    load_all,
    load_board,
    read_board,
)

__all__ = [
    "TOOLS",
    "Board",
    "Emulator",
    "Fpga",
    "Memory",
    "Uart",
    "is_known",
    "load_all",
    "load_board",
    "read_board",
]
