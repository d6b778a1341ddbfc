"""An iCE40 bitstream in simulation: the configuration read back as Verilog, two of its pins a serial port."""

import re
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._serial import PROGRAM, driver
from edgeternary.run._verilated import FLAGS, OBJECTS, compiled
from edgeternary.toolchains import cache, require
from edgeternary.toolchains import run as start

OWN = ("--top-module", "chip", "-DNO_ICE40_DEFAULT_ASSIGNMENTS")
RX, TX = "link_0__rx__io", "link_0__tx__io"  # as hdl.board_top calls them


def program(bitstream: bytes, pins: str, clocks: int, tool: str = "auto") -> Path:
    """The simulator of an iCE40 bitstream, built with Verilator; cached by digest.

    pins    constraints of hdl.board_top; inputs beside clock and rx are buttons that nobody presses
    clocks  of a bit
    """
    from edgeternary.hdl.tools.yosys import cxxrtl_headers

    unpack, read_back, verilator = require("iceunpack"), require("icebox_vlog"), require("verilator")
    clock = re.search(r"^set_frequency (\S+)", pins, re.M)
    if not clock:
        raise EdgeTernaryError(
            "no simulation of this bitstream", "its pins name no clock", "use an iCE40 board"
        )
    buttons = re.findall(r"^set_io (button\S+)", pins, re.M)
    main = driver(
        "serial_verilator.cpp.j2", top=PROGRAM, clocks=clocks, rx=_mangled(RX), tx=_mangled(TX),
        clock=_mangled(clock[1]), idle=[_mangled(pin) for pin in buttons],
    )  # fmt: skip
    constraints = re.sub(r"^set_frequency.*\n", "", pins, flags=re.M)
    cells = cxxrtl_headers(tool).parents[3] / "ice40" / "cells_sim.v"

    def fill(folder: Path) -> None:
        Path(folder, "design.bin").write_bytes(bitstream)
        Path(folder, "top.pcf").write_text(constraints, encoding="utf-8")
        Path(folder, "main.cpp").write_text(main, encoding="utf-8")
        start([*unpack.command, "design.bin", "design.asc"], what="reading the bitstream", cwd=folder)
        command = [*read_back.command, "-s", "-l", "-p", "top.pcf", "design.asc"]
        text = start(command, what="turning the bitstream into Verilog", cwd=folder)
        Path(folder, "chip.v").write_text(_ports_once(text), encoding="utf-8")
        compiled(folder, ["chip.v", str(cells)], PROGRAM, OWN, "the simulator of a bitstream")

    key = cache.digest(bitstream, pins, main, verilator.version, read_back.where, *FLAGS, *OWN)
    return cache.build(key, fill) / OBJECTS / f"V{PROGRAM}"


def _ports_once(text: str) -> str:
    """icebox_vlog declares ports a second time, as wires, which Verilator refuses."""

    def wires(line: re.Match[str]) -> str:
        names = [name for name in line[1].split(", ") if not name.endswith("__io")]
        return f"wire {', '.join(names)};" if names else ""

    return re.sub(r"^wire ([^=;]*);$", wires, text, flags=re.M)


def _mangled(port: str) -> str:
    """A port in Verilator's model."""
    return port.replace("__", "___05F")
