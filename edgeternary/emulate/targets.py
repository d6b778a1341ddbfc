"""Finds the emulator of a board and runs a build in it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from edgeternary.boards import Board
from edgeternary.emulate import fpga, pico, qemu
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.link.build import Build

PATIENCE = 60.0  # seconds for an answer, since emulators are slower than the board

PORTS: dict[str, Callable[[Build], AbstractContextManager[str]]] = {
    "qemu": qemu.port,
    "rp2040js": pico.port,
    "fpga": fpga.port,
    "bitstream": fpga.bitstream_port,
}


@dataclass(frozen=True)
class Emulated:
    """A running board. port: the name for link.open_port; by: qemu, rp2040js, fpga or bitstream."""

    port: str
    by: str
    patience: float = PATIENCE


def emulator_of(board: Board) -> str:
    """The emulator that runs the images of a board; "" if there is none."""
    if board.fpga:
        return "fpga" if board.fpga.platform else ""
    if board.emulator is None:
        return ""
    return "rp2040js" if board.emulator.rp2040js else "qemu" if board.emulator.qemu else ""


@contextmanager
def emulated(build: Build, bitstream: bool = False, listening: bool = False) -> Iterator[Emulated]:
    """Runs the build on its emulated board until the end of the block.

    bitstream  simulate the packed bitstream of an iCE40 board in place of its top module
    listening  also accept a board whose emulated serial port sends but does not receive
    EdgeTernaryError if nothing emulates the board (code 2) or the emulator is missing (code 3).
    """
    by = "bitstream" if bitstream and build.board.fpga else emulator_of(build.board)
    mute = build.board.emulator is not None and not build.board.emulator.receives
    if not by or (mute and not listening):
        why = "its emulated serial port does not receive" if by else "no emulator supports it"
        raise EdgeTernaryError(
            f"{build.board.title} cannot be emulated",
            why,
            "plug it in and give --port, or compile for a board that has an emulator: edgeternary boards",
            USAGE,
        )
    with PORTS[by](build) as port:
        yield Emulated(port, by)
