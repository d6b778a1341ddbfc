"""Runs the ELF of a build on a machine of qemu-system-arm. Its first UART is a Unix socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeternary.emulate.process import scratch, started, wait_for
from edgeternary.link.build import Build
from edgeternary.link.ports import TIMELESS
from edgeternary.toolchains import require


@contextmanager
def port(build: Build) -> Iterator[str]:
    """The name of the port of the emulated board, which runs until the end of the block."""
    assert build.board.emulator
    tool, what = require("qemu-system-arm"), f"QEMU's {build.board.emulator.qemu}"
    with scratch() as folder:
        socket = folder / TIMELESS
        command: list[str | Path] = [
            *tool.command,
            *("-machine", build.board.emulator.qemu, "-kernel", build.image.absolute().with_suffix(".elf")),
            *("-display", "none", "-monitor", "none", "-no-reboot"),
            *("-chardev", f"socket,id=uart,path={socket},server=on,wait=on", "-serial", "chardev:uart"),
        ]
        with started(command, folder, what) as process:
            wait_for(socket, process, what)
            yield f"unix:{socket}"
