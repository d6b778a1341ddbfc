"""The image of a build for the RP2040 in rp2040js, its UART0 on a Unix socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeternary.data import firmware_dir
from edgeternary.emulate.process import scratch, started, wait_for
from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.link.build import Build
from edgeternary.toolchains import cache, require

PACKAGE = "rp2040js"
INSTALL = f"npm install --ignore-scripts --no-save {PACKAGE}"


def package() -> Path:
    """The folder of the npm package: below NODE_PATH, here, or in the cache. EdgeTernaryError (code 3)."""
    paths = [Path(path) for path in os.environ.get("NODE_PATH", "").split(os.pathsep) if path]
    here = Path.cwd()
    paths += [folder / "node_modules" for folder in (here, *here.parents)]
    paths.append(cache.directory() / "node_modules")
    for path in paths:
        if (path / PACKAGE / "package.json").is_file():
            return path / PACKAGE
    raise EdgeTernaryError(
        f"{PACKAGE} is missing",
        "looked for node_modules here and above, and in NODE_PATH; it emulates the Pico",
        f"install it with: {INSTALL}",
        TOOL_MISSING,
    )


@contextmanager
def port(build: Build) -> Iterator[str]:
    """The name of the port of the emulated board, for as long as the block lasts."""
    assert build.board.flash
    node, what = require("node"), PACKAGE
    script = firmware_dir() / PACKAGE / "uart.mjs"
    with scratch() as folder:
        socket = folder / "uart"
        image = build.image.absolute().with_suffix(".bin")
        command: list[str | Path] = [
            *node.command,
            script,
            package(),
            image,
            f"{build.board.flash.origin:#x}",
            socket,
        ]
        with started(command, folder, what) as process:
            wait_for(socket, process, what)
            yield f"unix:{socket}"
