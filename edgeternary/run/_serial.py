"""A board's top in simulation: a process whose stdin and stdout are its serial port, to the bit."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from edgeternary.errors import EdgeTernaryError
from edgeternary.templating import render
from edgeternary.toolchains import Child, cache

if TYPE_CHECKING:
    from edgeternary.hdl.serial import Serial

PROGRAM = "device"  # also the name of the top module
QUIET = 200_000  # cycles after which the clock stands still


def program(serial: Serial, tool: str = "auto") -> Path:
    """The simulator of a serial device, built with CXXRTL; cached by digest. Where weights come from
    flash, the program takes the name of a file that holds its contents.

    EdgeTernaryError where a bit does not last a whole number of clocks.
    """
    from edgeternary.hdl.emit import component_rtlil
    from edgeternary.hdl.loading import start_up_cycles
    from edgeternary.hdl.tools.yosys import cxxrtl_headers, version, yosys
    from edgeternary.run import _cxx
    from edgeternary.run.cxxrtl import WRITE

    if serial.clock_hz % serial.baud:
        raise EdgeTernaryError(
            "no simulation of this serial port",
            f"{serial.baud:,} baud are no whole fraction of {serial.clock_hz:,} Hz",
            "choose another baud",
        )
    text, used = component_rtlil(serial, PROGRAM), version(tool)
    clocks, flash = serial.clock_hz // serial.baud, bool(serial.design.weights)
    quiet = QUIET + (start_up_cycles(serial.design, serial.clock_hz) if flash else 0)
    main = driver("serial_cxxrtl.cpp.j2", top=f"p_{PROGRAM}", clocks=clocks, flash=flash, quiet=quiet)
    write = WRITE.format(debug="-g0")
    script = f"read_rtlil design.il; hierarchy -top {PROGRAM}; proc; flatten; opt_clean; {write}"

    def fill(folder: Path) -> None:
        Path(folder, "design.il").write_text(text, encoding="utf-8")
        Path(folder, "main.cpp").write_text(main, encoding="utf-8")
        yosys(script, what="writing C++ of a board's top", folder=folder, tool=tool)
        _cxx.build(folder, cxxrtl_headers(tool), PROGRAM, "a board")

    return cache.build(cache.digest(text, main, script, used, *_cxx.recipe()), fill) / PROGRAM


def driver(template: str, **values: object) -> str:
    """C++ text of `templates/hdl/<template>`."""
    return render(f"hdl/{template}", {"quiet": QUIET, **values})


class Simulated:
    """A running simulator, used like a serial port; a context manager that ends it."""

    def __init__(self, program: Path, *arguments: str | Path) -> None:
        pipe = subprocess.PIPE
        self._process = Child([program, *arguments], stdin=pipe, stdout=pipe, bufsize=0)

    def __enter__(self) -> Simulated:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.__exit__(None, None, None)

    def write(self, data: bytes) -> None:
        """Sends bytes; returns before they have arrived."""
        assert self._process.stdin
        self._process.stdin.write(data)

    def read(self, timeout: float) -> bytes:
        """What has come, at least a byte; b"" after `timeout` seconds without one."""
        stdout = self._process.stdout
        assert stdout
        if not select.select([stdout], [], [], timeout)[0]:
            return b""
        data = os.read(stdout.fileno(), 4096)
        if not data:
            raise EdgeTernaryError("the simulated board is gone", "its process ended", "report this as a bug")
        return data
