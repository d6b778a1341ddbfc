"""Which emulator a board has."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from edgeternary.boards import Board
from edgeternary.emulate import fpga, pico, qemu
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.link.build import Build

PATIENCE = 60.0  # seconds for an answer: emulators do not keep the board's time

PORTS: dict[str, Callable[[Build], AbstractContextManager[str]]] = {
    "qemu": qemu.port,
    "rp2040js": pico.port,
    "fpga": fpga.port,
    "bitstream": fpga.bitstream_port,
}


@dataclass(frozen=True)
class Emulated:
    """A running board. port: its name, for link.open_port; by: qemu, rp2040js, fpga or bitstream."""

    port: str
    by: str
    patience: float = PATIENCE


def emulator_of(board: Board) -> str:
    """The emulator that runs this board's images, "" for none."""
    if board.fpga:
        return "fpga" if board.fpga.platform else ""
    if board.emulator is None:
        return ""
    return "rp2040js" if board.emulator.rp2040js else "qemu" if board.emulator.qemu else ""


@contextmanager
def emulated(build: Build, bitstream: bool = False, listening: bool = False) -> Iterator[Emulated]:
    """The build on its emulated board, for as long as the block lasts.

    bitstream  of an iCE40 board: simulate the packed file itself
    listening  a board that sends and does not receive is enough
    EdgeTernaryError: code 2 where nothing emulates the board, 3 where the emulator is missing.
    """
    by = "bitstream" if bitstream and build.board.fpga else emulator_of(build.board)
    mute = build.board.emulator is not None and not build.board.emulator.receives
    if not by or (mute and not listening):
        why = "its emulated serial port takes no bytes" if by else "no emulator knows it"
        raise EdgeTernaryError(
            f"{build.board.title} cannot be emulated",
            why,
            "plug it in and give --port, or compile for a board that edgeternary boards lists as emulated",
            USAGE,
        )
    with PORTS[by](build) as port:
        yield Emulated(port, by)
