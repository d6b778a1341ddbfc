"""edgeternary.json of a compiled folder: what was asked for, with which tools, and digests of all files."""

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from edgeternary.boards import Board
from edgeternary.build.made import Files
from edgeternary.build.settings import Settings
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints

PACKAGES = ("jinja2", "msgspec", "numpy", "safetensors")  # that every build goes through
MOST_BYTES = 2**24  # of a manifest


@dataclass(frozen=True)
class Options(Settings):
    """The arguments of `compile` that decide what it makes, apart from the model."""

    board: str = ""
    core: str = ""
    device: str = ""
    build: bool = False
    yosys: str = "auto"
    hardware: Constraints = NO_CONSTRAINTS

    def record(self) -> dict[str, Any]:
        """As plain data: what differs from the defaults."""
        found = _changed(self)
        if "hardware" in found:
            found["hardware"] = _changed(self.hardware)
        return found


class Manifest(msgspec.Struct, frozen=True):
    """What is read again of a manifest.

    graph    the file of the model
    options  of `compile`;  report: whether the folder has the pages of the report
    tools    {tool: version}
    sha256   {file: digest of its content}, of all files but the manifest
    """

    edgeternary: str
    graph: str
    options: Options
    report: bool
    tools: dict[str, str]
    sha256: dict[str, str]


def digests(files: Files) -> dict[str, str]:
    """{name: SHA-256 in hexadecimal}, in the order of the names."""
    return {name: digest(files[name]) for name in sorted(files)}


def digest(content: bytes | str) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def tools(options: Options, board: Board | None, core: str, measured: bool) -> dict[str, str]:
    """{tool: version} of what a build goes through; the machine, too, since a host's object is its own."""
    found = {"machine": f"{platform.system()} {platform.machine()}", "python": platform.python_version()}
    found |= {name: importlib.metadata.version(name) for name in PACKAGES}
    names: list[str] = []
    if core and (options.build or measured):
        names = [_compiler(options, core), *(("unicorn", "capstone") if measured else ())]
    elif not core:
        names = ["amaranth", *(_placed(options, board) if options.build else ())]
    from edgeternary.toolchains import find

    return found | {name: find(name).version for name in names if find(name).found}


def read(folder: Path) -> tuple[Manifest, dict[str, Any]]:
    """The manifest of a folder, as far as it is read again, and all of it.

    EdgeTernaryError where there is none, or one that names files outside of the folder.
    """
    from edgeternary.build.files import MARKER

    path = folder / MARKER
    remedy = "name a folder that edgeternary compile wrote, or compile it again"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        whole = json.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(whole, Manifest)
        for name in (found.graph, *found.sha256):
            inside(name)
        if found.options.board.endswith(".toml"):
            raise ValueError("a board is named without its ending")
    except OSError as error:
        why = error.strerror or str(error)
        raise EdgeTernaryError(f"{folder} is not a compiled folder", f"{MARKER}: {why}", remedy) from error
    except (ValueError, RecursionError) as error:  # msgspec's and json's, too
        raise EdgeTernaryError(f"{path} says nothing that can be built again", str(error), remedy) from error
    return found, whole


def inside(name: str) -> str:
    """The name of a file in a folder. ValueError for one that leads out of it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name:
        raise ValueError(f"{name[:60]!r} is no file in the folder")
    return name


def _changed(record: Any) -> dict[str, Any]:
    given = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {name: value for name, value in given.items() if value != getattr(type(record)(), name)}


def _compiler(options: Options, core: str) -> str:
    from edgeternary.cores import core as find_core
    from edgeternary.toolchains import compilers

    if find_core(core).native:
        return compilers.for_host(options.compiler, options.opt_level).name
    name = compilers.for_core(core, options.compiler, options.opt_level).name
    return "arm-none-eabi-gcc" if name == "gcc" else name


def _placed(options: Options, board: Board | None) -> list[str]:
    """What synthesises, simulates, places and packs."""
    from edgeternary.hdl.devices import PARTS
    from edgeternary.hdl.tools.place import PLACERS
    from edgeternary.hdl.tools.yosys import choose

    part = PARTS.get(board.fpga.device if board and board.fpga else options.device)
    own = [PLACERS[part.family].tool, PLACERS[part.family].packer] if part and part.place else []
    return [choose(options.yosys).name, "amaranth-boards" if board else "zig", *own]
