"""A board's top as `compile` wrote it, pin buffers and all, in CXXRTL: two of its pins are a serial port."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeternary.boards import Board
from edgeternary.data import templates_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.run._serial import PROGRAM, QUIET, driver
from edgeternary.toolchains import cache

if TYPE_CHECKING:
    from edgeternary.hdl.board_top import Pins


LOADING = 4_000_000  # cycles without a sign while weights come out of the flash, 16 a byte


def clocks_of_a_bit(board: Board) -> int:
    """EdgeTernaryError where a bit does not last a whole number of clocks."""
    baud = board.uart.baud if board.uart else 0
    if not baud or board.clock_hz % baud:
        raise EdgeTernaryError(
            f"no simulation of the serial port of {board.title}",
            f"{baud:,} baud are no whole fraction of {board.clock_hz:,} Hz",
            "choose another baud in the board's file",
        )
    return board.clock_hz // baud


def program(verilog: str, board: Board, tool: str = "auto") -> Path:
    """The simulator of a board's top, built with CXXRTL; cached by digest.

    verilog  text of top.v. One that reads its configuration flash makes a program that takes the name of a
             file with the flash's contents
    """
    from edgeternary.hdl.board_top import pins_of
    from edgeternary.hdl.tools.yosys import cxxrtl_headers, version, yosys
    from edgeternary.run import _cxx
    from edgeternary.run.cxxrtl import WRITE

    pins = pins_of(board)
    text, used = directed(verilog, pins), version(tool)
    cells = Path(templates_dir(), "hdl", "pins.v").read_text(encoding="utf-8")
    flash = {pin: _mangled(port) for pin, port in pins.flash.items()} if reads_flash(verilog, pins) else {}
    main = driver(
        "serial_pins.cpp.j2", clocks=clocks_of_a_bit(board), rx=_mangled(pins.rx), tx=_mangled(pins.tx),
        clock=_mangled(pins.clock), idle={_mangled(pin): level for pin, level in pins.idle.items()},
        flash=flash, quiet=LOADING if flash else QUIET,
    )  # fmt: skip
    write = WRITE.format(debug="-g0")
    script = (
        f"read_verilog top.v; read_verilog -defer pins.v; hierarchy -check -top top; proc; flatten; "
        f"opt_clean; {write}"
    )

    def fill(folder: Path) -> None:
        for name, content in (("top.v", text), ("pins.v", cells), ("main.cpp", main)):
            Path(folder, name).write_text(content, encoding="utf-8")
        yosys(script, what=f"writing C++ of the top of {board.title}", folder=folder, tool=tool)
        _cxx.build(folder, cxxrtl_headers(tool), PROGRAM, board.title)

    return cache.build(cache.digest(text, cells, main, script, used, *_cxx.recipe()), fill) / PROGRAM


def reads_flash(verilog: str, pins: Pins) -> bool:
    """Whether a top has the pins of the flash."""
    return bool(pins.flash) and f" wire {pins.flash['cs']}" in verilog


def directed(verilog: str, pins: Pins) -> str:
    """The top with each pin as an input or an output: the simulation knows what drives it."""
    inputs = {pins.clock, pins.rx, *pins.idle, pins.flash.get("cipo", "")}

    def direction(line: re.Match[str]) -> str:
        return f"{'input' if line[1] in inputs else 'output'} wire {line[1]}"

    head, top, rest = verilog.partition("\nmodule top (")
    body, end, rest = rest.partition("\n);")
    return head + top + re.sub(r"\binout +wire (\w+__io)", direction, body) + end + rest


def _mangled(port: str) -> str:
    """A port in CXXRTL's C++: an underscore is written twice."""
    return "p_" + port.replace("_", "__")
