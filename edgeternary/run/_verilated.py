"""Programs that Verilator builds; what all of them share, its own sources, is compiled once."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeternary.toolchains import cache, require
from edgeternary.toolchains import run as start

FLAGS = ("--cc", "--exe", "--build", "-O3", "--no-timing", "-Wno-fatal", "-Wno-lint", "--x-initial", "0")
OBJECTS = "obj_dir"  # where Verilator and its make work


def compiled(folder: Path, files: Sequence[str], prefix: str, flags: Sequence[str], what: str) -> None:
    """Builds obj_dir/V<prefix> from Verilog files and main.cpp in `folder`. flags: besides FLAGS."""
    (folder / OBJECTS).mkdir()
    ready = []  # make takes them as they are, although its file is newer
    for item in _shared([flag for flag in flags if flag.startswith("--trace")]).glob("verilated*.o"):
        shutil.copy(item, folder / OBJECTS)
        ready += ["-MAKEFLAGS", f"-o {item.name}"]
    _build(folder, [*flags, *ready, "--prefix", f"V{prefix}", *files], what)


def _shared(flags: Sequence[str]) -> Path:
    """The folder with the objects of Verilator's own sources."""

    def fill(folder: Path) -> None:
        (folder / "nothing.v").write_text("module nothing; endmodule\n", encoding="utf-8")
        (folder / "main.cpp").write_text("int main() { return 0; }\n", encoding="utf-8")
        _build(folder, [*flags, "nothing.v"], "Verilator's own sources")

    version = require("verilator").version
    return cache.build(cache.digest("verilated", version, *FLAGS, *flags), fill) / OBJECTS


def _build(folder: Path, arguments: Sequence[str], what: str) -> None:
    tool = require("verilator")
    start(
        [*tool.command, *FLAGS, "-j", str(os.cpu_count() or 1), *arguments, "main.cpp"],
        what=f"building {what} with verilator {tool.version}",
        cwd=folder,
    )
