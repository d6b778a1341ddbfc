"""Simulates the top module of an FPGA board, or its bitstream, and offers its serial port."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeternary.emulate.process import scratch, started
from edgeternary.errors import EdgeTernaryError
from edgeternary.link.build import Build


@contextmanager
def port(build: Build) -> Iterator[str]:
    """The name of a pty: the serial port of the top module that compile wrote, simulated by CXXRTL."""
    from edgeternary.run import _serial_top

    text = _text(build, "top.v")
    with _served(_serial_top.program(text, build.board, _yosys()), build, build.image.absolute()) as name:
        yield name


@contextmanager
def bitstream_port(build: Build) -> Iterator[str]:
    """The name of the serial port of the bitstream, which is converted back to Verilog. iCE40 only."""
    from edgeternary.run import _serial_bitstream, _serial_top

    if build.board.fpga is None or build.board.fpga.family != "ice40":
        raise EdgeTernaryError(
            f"a bitstream of {build.board.title} cannot be simulated",
            "no tool converts it back to a netlist",
            "leave out --bitstream: then the top module is simulated",
        )
    clocks = _serial_top.clocks_of_a_bit(build.board)
    pins = _text(build, "top.pcf")
    with _served(_serial_bitstream.program(build.image.read_bytes(), pins, clocks, _yosys()), build) as name:
        yield name


@contextmanager
def _served(program: Path, build: Build, *arguments: Path) -> Iterator[str]:
    """The name of a pty that is connected to stdin and stdout of `program`."""
    import tty

    master, slave = os.openpty()
    try:
        tty.setraw(slave)
        with scratch() as folder:
            what = f"the simulation of {build.board.title}"
            with started([program, *arguments], folder, what, stdin=master, stdout=master):
                yield os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


def _yosys() -> str:
    """The native yosys if it is complete, since it starts faster and gives an equivalent simulation."""
    from edgeternary.hdl.tools.yosys import cxxrtl_headers

    try:
        cxxrtl_headers("native")
    except EdgeTernaryError:
        return "auto"
    return "native"


def _text(build: Build, name: str) -> str:
    path = build.folder / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise EdgeTernaryError(
            f"{build.folder} is not complete", f"{name} is missing", "compile the model again"
        ) from error
