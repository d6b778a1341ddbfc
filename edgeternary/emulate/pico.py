"""Runs the image of a build for the RP2040 in rp2040js. Its UART0 is a Unix socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeternary.data import firmware_dir
from edgeternary.emulate.process import scratch, started, wait_for
from edgeternary.link.build import Build
from edgeternary.toolchains import require

PACKAGE = "rp2040js"


@contextmanager
def port(build: Build) -> Iterator[str]:
    """The name of the port of the emulated board, which runs until the end of the block."""
    assert build.board.flash
    node, what = require("node"), PACKAGE
    script = firmware_dir() / PACKAGE / "uart.mjs"
    with scratch() as folder:
        socket = folder / "uart"
        image = build.image.absolute().with_suffix(".bin")
        command: list[str | Path] = [
            *node.command,
            script,
            require(PACKAGE).where,
            image,
            f"{build.board.flash.origin:#x}",
            socket,
        ]
        with started(command, folder, what) as process:
            wait_for(socket, process, what)
            yield f"unix:{socket}"
