"""What yosys made of a few designs for this package: C++ for simulators, and figures of synthesis.

It is in zoo/hardware: `<top module>.json` and `<top module>.cpp.xz`. Each entry carries the digest of all
that yosys made it from, the RTLIL first. An entry whose digest differs from the one at hand is not used, so
a changed design is given to yosys as any other. `python -m tests.golden.shipped` writes the entries again.
"""

import json
import lzma
from pathlib import Path
from typing import Any

from edgeternary.data import zoo_dir
from edgeternary.toolchains import cache

HEADER = "cxxrtl/cxxrtl.h"


def folder() -> Path:
    """The folder of the entries."""
    return zoo_dir() / "hardware"


def entry(top: str) -> dict[str, Any]:
    """The content of `<top>.json`, or nothing."""
    path = folder() / f"{top}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def figures(top: str, design: str, script: str) -> dict[str, int | str] | None:
    """The figures of synthesis, the yosys that counted them among them, of RTLIL `design` under `script`."""
    found = entry(top).get("synthesis", {})
    return found["figures"] if found.get("digest") == cache.digest(design, script) else None


def cxxrtl(top: str, design: str, script: str, headers: Path) -> tuple[str, str] | None:
    """The C++ of RTLIL `design` under `script`, and the yosys that wrote it.

    headers  of the yosys that is installed: those that the C++ was written for, or there is nothing
    """
    found = entry(top).get("cxxrtl", {})
    if found.get("digest") != cxxrtl_digest(design, script, headers):
        return None
    return lzma.decompress((folder() / f"{top}.cpp.xz").read_bytes()).decode(), found["yosys"]


def cxxrtl_digest(design: str, script: str, headers: Path) -> str:
    """Of all that C++ depends on, apart from the version of yosys."""
    return cache.digest(design, script, (headers / HEADER).read_bytes())
