"""A model on an FPGA board: the link around the core; pins, clock and LEDs from amaranth-boards."""

import importlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from amaranth import Cat, Const, Elaboratable, Module
from amaranth.build import Attrs, Resource, ResourceError, Subsignal
from amaranth.build import Pins as Places
from amaranth.lib import io

from edgeternary.boards import Board, Fpga
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.devices import PARTS, Part
from edgeternary.hdl.emit import design_rtlil, filled_later
from edgeternary.hdl.serial import Serial, hello
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from edgeternary.toolchains import cache, require

TOP = "top"
PINS = {"ice40": "top.pcf", "ecp5": "top.lpf", "gowin": "top.cst", "xc7": "top.xdc"}  # of amaranth


class BoardTop(Elaboratable):
    """The serial link on a board's pins; LED k shows bit k of the class of the last answer."""

    def __init__(self, serial: Serial, fpga: Fpga) -> None:
        self.serial, self.fpga = serial, fpga

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.serial = serial = self.serial
        pins = platform.request("link", dir={"rx": "-", "tx": "-"})
        m.submodules.rx, m.submodules.tx = rx, tx = io.Buffer("i", pins.rx), io.Buffer("o", pins.tx)
        m.d.comb += [serial.rx.eq(rx.i), tx.o.eq(serial.tx)]
        leds = [io.Buffer("o", port) for port in _leds(platform)] if self.fpga.leds else []
        m.submodules += leds
        m.d.comb += Cat(led.o for led in leds).eq(serial.shown)
        if serial.design.weights:
            self._flash(m, platform.request(self.fpga.flash, 0, dir="-"))
        if "high" in self.fpga.pins:
            m.submodules.high = high = io.Buffer("o", platform.request("high", dir="-"))
            m.d.comb += high.o.eq(Const(1))
        return m

    def _flash(self, m: Module, pins: Any) -> None:
        """The configuration flash, whose port is free once the chip is configured."""
        serial = self.serial
        for name, value in (("cs", ~serial.cs_n), ("clk", serial.sck), ("copi", serial.copi)):
            m.submodules[f"flash_{name}"] = buffer = io.Buffer("o", getattr(pins, name))
            m.d.comb += buffer.o.eq(value)
        for name in ("wp", "hold"):
            m.submodules[f"flash_{name}"] = io.Buffer(
                "o", getattr(pins, name)
            )  # 0 through an inverting pin: high
        m.submodules.flash_cipo = answer = io.Buffer("i", pins.cipo)
        m.d.comb += serial.cipo.eq(answer.i)


@dataclass(frozen=True)
class BoardDesign:
    """What goes onto a board.

    rtlil   of the whole top, pin buffers included; its module is called "top"
    pins    constraints in the family's own format
    part    the FPGA with the package and speed that the board has
    digest  16 hexadecimal digits, which the reply to hello repeats
    """

    board: Board
    design: Design
    serial: Serial
    rtlil: str
    pins: str
    part: Part
    digest: str


def board_top(graph: Graph, board: Board, design: Design | None = None) -> BoardTop:
    """The top of a model for a board, an Amaranth module that the board's platform can elaborate.

    design  the core, with its output as bytes; by default that of the default folding
    """
    serial, _ = _serial(design or build(graph, answer=True), board)
    return BoardTop(serial, _fpga(board))


def board_design(design: Design, board: Board) -> BoardDesign:
    """RTLIL and pin constraints of a design on a board. EdgeTernaryError for a board without a platform."""
    fpga = _fpga(board)
    serial, digest = _serial(design, board)
    files = _platform(board).prepare(BoardTop(serial, fpga), TOP, emit_src=False).files
    text = re.sub(r'^attribute \\generator ".*"\n', "", filled_later(_text(files["top.il"])), flags=re.M)
    pins = "".join(
        f"{line}\n" for line in _text(files[PINS[fpga.family]]).splitlines() if line and line[0] not in "#/"
    )
    return BoardDesign(board, design, serial, text, pins, part_of(board), digest)


def part_of(board: Board) -> Part:
    """The FPGA of a board: the figures of its fabric, in the package and speed that it has there."""
    fpga = _fpga(board)
    part = PARTS[fpga.device]
    place = part.place
    if fpga.family in ("ice40", "ecp5"):
        speed = ("--speed", fpga.speed) if fpga.speed else ()
        place = (f"--{fpga.part}", "--package", fpga.package, *speed)
    clock = -(-board.clock_hz // 1_000_000)
    return replace(
        part,
        title=board.title,
        place=place,
        luts=fpga.luts,
        ram_blocks=fpga.ram_blocks,
        aim=clock,
        clock=clock,
    )


def _serial(design: Design, board: Board) -> tuple[Serial, str]:
    """The design at the board's serial port, and the digest of all that it depends on."""
    from edgeternary.version import __version__

    assert board.uart
    facts = repr(msgspec.structs.replace(board, file=""))  # wherever its file lies
    digest = cache.digest(design_rtlil(design), facts, __version__)[:16]
    text = hello(design, board.name, digest, f"edgeternary {__version__}")
    try:
        return Serial(design, board.clock_hz, board.uart.baud, text), digest
    except ValueError as error:
        raise EdgeTernaryError(
            f"{board.title} cannot have a serial port of {board.uart.baud:,} baud",
            str(error),
            "a lower baud in the board's file",
        ) from error


def _fpga(board: Board) -> Fpga:
    if board.fpga is None or not board.fpga.platform or board.uart is None:
        raise EdgeTernaryError(
            f"no top for {board.title}",
            "its file names no FPGA, no serial port or no platform of amaranth-boards",
            "see docs/boards.md, or compile for its part: --device",
        )
    return board.fpga


def _platform(board: Board) -> Any:
    """The platform of amaranth-boards with the resources `link` and `high` added to it."""
    require("amaranth-boards")
    fpga = _fpga(board)
    module, name = fpga.platform.split(":")
    kind = getattr(importlib.import_module(f"amaranth_boards.{module}"), name)
    chosen: dict[str, Any] = {"default_clk": fpga.clock} if fpga.clock else {}
    if fpga.reset:
        chosen["default_rst"] = fpga.reset
    if fpga.family == "xc7":  # what Vivado reads, without its scripts
        constraints = {"{{name}}.xdc": kind._vivado_file_templates["{{name}}.xdc"]}
        chosen["file_templates"] = {"{{name}}.il": "# {{autogenerated}}\n{{emit_rtlil()}}", **constraints}
    platform = type(name, (kind,), chosen)(**({"toolchain": "Apicula"} if fpga.family == "gowin" else {}))
    if fpga.extras:
        platform.add_resources(getattr(platform, fpga.extras))
    rx, tx, like = fpga.pins.get("rx"), fpga.pins.get("tx"), platform.lookup(platform.default_clk)
    if not rx or not tx:
        like = platform.lookup("uart")
        rx, tx = (line.ios[0].names[0] for line in like.ios[:2])
    attrs = Attrs(**{name: value for name, value in like.attrs.items() if name != "GLOBAL"})
    lines = [Subsignal("rx", Places(rx, dir="i")), Subsignal("tx", Places(tx, dir="o"))]
    platform.add_resources([Resource("link", 0, *lines, attrs)])
    if "high" in fpga.pins:
        platform.add_resources([Resource("high", 0, Places(fpga.pins["high"], dir="o"), attrs)])
    return platform


@dataclass(frozen=True)
class Pins:
    """Names of a top's ports.

    idle   {a button: the level of its pin while nobody presses it}
    flash  {cs, clk, copi, cipo: their pins}, where the design may read its configuration flash
    """

    clock: str
    rx: str = "link_0__rx__io"
    tx: str = "link_0__tx__io"
    idle: dict[str, bool] = field(default_factory=dict)
    flash: dict[str, str] = field(default_factory=dict)


def pins_of(board: Board) -> Pins:
    """The ports of a board's top that a simulation drives."""
    platform = _platform(board)
    idle = {}
    if platform.default_rst:
        idle[f"{platform.default_rst}_0__io"] = bool(platform.lookup(platform.default_rst).ios[0].invert)
    resource = _fpga(board).flash
    flash = {pin: f"{resource}_0__{pin}__io" for pin in ("cs", "clk", "copi", "cipo")} if resource else {}
    return Pins(f"{platform.default_clk}_0__io", idle=idle, flash=flash)


def _leds(platform: Any) -> Iterator[Any]:
    """The board's LEDs, or the colours of its LED."""
    found = False
    for number in itertools.count():
        try:
            yield platform.request("led", number, dir="-")
            found = True
        except ResourceError:
            break
    if not found:
        colours = platform.request("rgb_led", 0, dir={"r": "-", "g": "-", "b": "-"})
        yield from (colours.r, colours.g, colours.b)


def _text(content: str | bytes) -> str:
    return content.decode() if isinstance(content, bytes) else content
