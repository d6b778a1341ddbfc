"""What a board file says. The file `<name>.toml` in this folder is the board called <name>."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from edgeternary.errors import USAGE, EdgeTernaryError

FOLDER = Path(__file__).parent


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A region of the address space.

    wait_states      at the board's clock, beyond the first cycle
    bytes_per_cycle  of straight-line code; without it a word of 4 bytes every 1 + wait_states cycles
    cache            bytes of instruction cache; code that fits is fetched once
    """

    origin: int
    bytes: int
    wait_states: int = 0
    bytes_per_cycle: float = 0
    cache: int = 0

    @property
    def bandwidth(self) -> float:
        """Bytes of straight-line code a cycle; no limit where there are no wait states."""
        if self.bytes_per_cycle:
            return self.bytes_per_cycle
        return 4 / (1 + self.wait_states) if self.wait_states else float("inf")


class Uart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The serial port of the host link. `kind` is the driver's name, `base` its address."""

    kind: str
    base: int = 0
    baud: int = 115200


class Emulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The machine name of qemu-system-arm, and whether it takes files through semihosting."""

    qemu: str


class Fpga(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An FPGA: what yosys and nextpnr call it, and what it holds (block RAMs of `ram_block_bits` each).

    device    the part of hdl.devices whose fabric and figures it has
    speed     grade, where the placer asks for one
    platform  the board in amaranth-boards, as "module:Class": pins, clock and LEDs come from there
    clock, reset  its resources for them; without, its default clock and no reset button
    extras    the attribute that lists more of its resources
    pins      {"rx", "tx"} of the serial port where it has none, and "high": what must be driven high
    flash     the resource of its configuration flash where the design may read it, "" where it may not
    """

    family: Literal["ice40", "ecp5", "gowin"]
    device: str
    part: str
    package: str
    speed: str = ""
    luts: int
    ram_blocks: int
    ram_block_bits: int
    multipliers: int
    platform: str = ""
    clock: str = ""
    reset: str = ""
    extras: str = ""
    pins: dict[str, str] = {}
    flash: str = ""


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One board.

    title     as its maker calls it
    kind      mcu, fpga, or emulated (exists in qemu-system-arm)
    source    documents that the figures come from
    clock_hz  of the core, or of the oscillator that feeds the FPGA
    core      Cortex-M core, "" without one
    flash, ram, uart, emulator, fpga   where they apply
    flash_tool  the program that puts an image or a bitstream on it
    port      folder under firmware/ports
    """

    title: str
    kind: Literal["mcu", "fpga", "emulated"]
    source: str
    clock_hz: int
    core: str = ""
    flash: Memory | None = None
    ram: Memory | None = None
    uart: Uart | None = None
    emulator: Emulator | None = None
    fpga: Fpga | None = None
    flash_tool: str = ""
    port: str = ""
    name: str = ""

    def memory(self) -> tuple[Memory, Memory]:
        """Flash and RAM of a board with a core; EdgeTernaryError for one without."""
        if self.flash is None or self.ram is None or not self.core:
            raise EdgeTernaryError(
                f"{self.title} cannot run C",
                "it has no processor core",
                "compile to HDL for this board",
                USAGE,
            )
        return self.flash, self.ram


def read_board(path: Path) -> Board:
    """Read one board file; EdgeTernaryError names the field that is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        board = msgspec.convert(data, Board)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise EdgeTernaryError(
            f"bad board file {path.name}", str(error), "see docs/adding-a-board.md"
        ) from error
    return msgspec.structs.replace(board, name=path.stem)


@cache
def load_all() -> dict[str, Board]:
    """Every board by name."""
    return {path.stem: read_board(path) for path in sorted(FOLDER.glob("*.toml"))}


def load_board(name: str) -> Board:
    """The board called `name`; case, dashes and underscores do not matter. Exit code 2 for an unknown one."""
    wanted = re.sub(r"[^a-z0-9]", "", name.lower())
    for known, board in load_all().items():
        if known.replace("_", "") == wanted:
            return board
    raise EdgeTernaryError(
        f"unknown board {name[:40]!r}",
        f"known are {', '.join(load_all())}",
        "see docs/adding-a-board.md",
        USAGE,
    )
