"""Boards: microcontrollers, FPGAs and emulated machines, one TOML file each."""

from edgeternary.boards.board import Board, Emulator, Fpga, Memory, Uart, load_all, load_board

__all__ = ["Board", "Emulator", "Fpga", "Memory", "Uart", "load_all", "load_board"]
