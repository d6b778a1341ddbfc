"""What a board file says. The file `<name>.toml` in this folder is the board called <name>."""

import difflib
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from edgeternary.errors import USAGE, EdgeTernaryError

FOLDER = Path(__file__).parent
LONGEST_NAME = 31  # bytes: the header of an image has room for no more
TOOLS = {  # programs that write images, and what a board's file tells each of them
    "pyocd": "--target",
    "probe-rs": "--chip",
    "openocd": "the script of the board or, with commas between them, of probe and chip",
    "st-flash": "the address that the image goes to",
    "dfu-util": "--alt, and the address that the image goes to: 0:0x08000000",
    "uf2": "label of the drive that the board appears as",
    "picotool": "nothing: it finds the chip by itself",
    "openFPGALoader": "--board",
    "iceprog": "nothing, or its options",
    "ecpprog": "nothing, or its options",
}


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A region of the address space.

    wait_states      at the board's clock, beyond the first cycle
    bytes_per_cycle  of straight-line code; without it a word of 4 bytes every 1 + wait_states cycles
    cache            bytes of instruction cache; loops that fit are fetched once
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
    """The serial port of the host link.

    kind       of an MCU: the driver firmware/ports/uart/<kind>.c; of an FPGA board: the chip at its USB
               socket
    base       address of its registers
    clock_hz   what its baud divider divides; 0: the clock of the core
    tx, rx     pins as the chip's documents call them: PA9, P0.24, GP0
    alternate  number of the pins' function, on chips that have one (STM32: AF)
    enable     address and bit of the clock gate, on chips that have one
    usb        (vendor, product) of the USB device that a computer sees, where the board has one
    """

    kind: str
    base: int = 0
    baud: int = 115200
    clock_hz: int = 0
    tx: str = ""
    rx: str = ""
    alternate: int = 0
    enable: tuple[int, int] | None = None
    usb: tuple[int, int] | None = None


class Emulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What runs the board's images without the board.

    qemu      machine of qemu-system-arm; its first serial port is the board's
    rp2040js  the npm package of that name does
    receives  its serial port takes bytes; where it does not, only the self test at power-up can be seen
    """

    qemu: str = ""
    rp2040js: bool = False
    receives: bool = True


class Fpga(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An FPGA: what yosys and nextpnr call it, and what it holds (block RAMs of `ram_block_bits` each).

    device    the part of hdl.devices whose fabric and figures it has
    speed     grade, where the placer asks for one
    platform  the board in amaranth-boards, as "module:Class": pins, clock and LEDs come from there
    clock, reset  its resources for them; without, its default clock and no reset button
    extras    the attribute that lists more of its resources
    pins      {"rx", "tx"} of the serial port where it has none, and "high": what must be driven high
    flash     the resource of its configuration flash where the design may read it, "" where it may not
    leds      show the class of the last answer
    """

    family: Literal["ice40", "ecp5", "gowin", "xc7"]
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
    leds: bool = True


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One board.

    title     as its maker calls it
    kind      mcu, fpga, or emulated (exists in qemu-system-arm)
    source    documents that the figures come from
    clock_hz  of the core, or of the oscillator that feeds the FPGA
    core      Cortex-M core, "" without one
    flash, ram, uart, emulator, fpga   where they apply
    tools     {program that puts an image or a bitstream on it: what it calls the board}, the best first;
              TOOLS says what each program wants to be told
    port      the chip: folder under firmware/ports
    self_test the image checks itself on built-in inputs at power-up and prints a line of text
    name, file   where it was read from
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
    tools: dict[str, str] = {}
    port: str = ""
    self_test: bool = False
    name: str = ""
    file: str = ""

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
        _check(board, path.stem)
    except OSError as error:
        why = error.strerror or str(error)
        raise EdgeTernaryError(f"cannot read board file {path}", why, "check the path") from error
    except (ValueError, RecursionError) as error:  # also of tomllib, msgspec and the encoding
        raise EdgeTernaryError(f"bad board file {path.name}", str(error), "see docs/boards.md") from error
    return msgspec.structs.replace(board, name=path.stem, file=str(path.absolute()))


def _check(board: Board, name: str) -> None:
    """What types alone do not say; ValueError names the field."""
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{LONGEST_NAME - 1}}}", name):
        raise ValueError(f"the name is that of the file: letters, digits and _, at most {LONGEST_NAME}")
    unknown = [tool for tool in board.tools if tool not in TOOLS]
    if unknown:
        raise ValueError(f"tools: {unknown[0]!r} is none of {', '.join(TOOLS)}")
    if board.clock_hz <= 0 or (board.uart and board.uart.baud <= 0):
        raise ValueError("clock_hz and uart.baud: more than 0")
    if (board.kind == "fpga") != (board.fpga is not None):
        raise ValueError('fpga: a table of boards with kind = "fpga", and of no others')
    if board.kind != "fpga" and not (board.core and board.flash and board.ram):
        raise ValueError("core, flash and ram: a board that runs C has all of them")


@cache
def load_all() -> dict[str, Board]:
    """Every board of this folder by name."""
    return {path.stem: read_board(path) for path in sorted(FOLDER.glob("*.toml"))}


def load_board(name: str) -> Board:
    """The board called `name`, or that of the file `name` if it ends in .toml. In names, case, dashes and
    underscores do not matter. Exit code 2 for an unknown one.
    """
    if name.endswith(".toml"):
        return read_board(Path(name))
    known = load_all()
    for key, board in known.items():
        if _plain(key) == _plain(name):
            return board
    near = difflib.get_close_matches(_plain(name), [_plain(key) for key in known], n=3, cutoff=0.5)
    raise EdgeTernaryError(
        f"unknown board {name[:40]!r}",
        f"the nearest are {', '.join(key for n in near for key in known if _plain(key) == n)}"
        if near
        else f"known are {', '.join(known)}",
        "edgeternary boards lists all; a file of your own is named with its ending: --board ./mine.toml",
        USAGE,
    )


def is_known(board: Board) -> bool:
    """Whether the board's file is one of this folder."""
    return Path(board.file).parent == FOLDER


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
