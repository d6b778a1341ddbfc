"""The top of an FPGA board in simulation, at its serial port: from Verilog, or from the bitstream."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeternary.emulate.process import scratch, started
from edgeternary.errors import EdgeTernaryError
from edgeternary.link.build import Build


@contextmanager
def port(build: Build) -> Iterator[str]:
    """The name of the port, a pty: the top that compile wrote, built with yosys's CXXRTL."""
    from edgeternary.run import _serial_top

    text = _text(build, "top.v")
    with _served(_serial_top.program(text, build.board, _yosys()), build, build.image.absolute()) as name:
        yield name


@contextmanager
def bitstream_port(build: Build) -> Iterator[str]:
    """The name of the port of the bitstream itself, which is turned back into Verilog; iCE40 only."""
    from edgeternary.run import _serial_bitstream, _serial_top

    if build.board.fpga is None or build.board.fpga.family != "ice40":
        raise EdgeTernaryError(
            f"no simulation of a bitstream of {build.board.title}",
            "no tool turns it back into a netlist",
            "leave out --bitstream: the top that went into it is simulated",
        )
    clocks = _serial_top.clocks_of_a_bit(build.board)
    pins = _text(build, "top.pcf")
    with _served(_serial_bitstream.program(build.image.read_bytes(), pins, clocks, _yosys()), build) as name:
        yield name


@contextmanager
def _served(program: Path, build: Build, *arguments: Path) -> Iterator[str]:
    """A pty whose other end is `program`: its stdin and stdout are the serial port."""
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
    """The native yosys where it is whole: it starts at once, and what it makes of a top means the same."""
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
            f"{build.folder} is not complete", f"{name} is not there", "compile the model again"
        ) from error
