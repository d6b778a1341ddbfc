"""edgeternary.compile: a graph becomes the files of a target, with estimates and measured figures."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeternary import late
from edgeternary.boards import Board, is_known, load_board
from edgeternary.build import c_project, fpga, manifest
from edgeternary.build.files import MARKER, write_folder
from edgeternary.build.made import Files
from edgeternary.c.explain import Candidate
from edgeternary.c.plan import Plan
from edgeternary.cores import core as find_core
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints
from edgeternary.ir import Graph
from edgeternary.ir.file import to_bytes
from edgeternary.ir.names import identifier
from edgeternary.toolchains import extras
from edgeternary.version import __version__


@dataclass(frozen=True)
class Project:
    """What `compile` made.

    target     a core, a device or a board
    files      {file name: content}: sources, with `build` also object, image or netlist
    estimates  figures known before anything is compiled, in the words for quantities
    measured   the same words, from the compiler, the emulator or the synthesiser; without `build` those that
               a limit asked for
    layers     one dict a layer: kernel or part, bytes, estimated cycles
    model, on  the graph, and the board that it is for
    plan       of C: kernels, buffers and where these lie
    explain    why its kernels were chosen, see c.explain.explain_plan; takes `most`
    identity   of what can be put onto a board: board, kind (mcu or fpga), model, graph (its file), digest
               (hello gives the first 16 digits) and image (the file that is flashed); of a microcontroller
               also what build.board_image.facts says; without an image graph alone
    options    what `compile` was asked for;  tools  {tool: version} that it went through
    """

    target: str
    files: Files
    estimates: dict[str, Any]
    measured: dict[str, Any] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)
    identity: dict[str, Any] = field(default_factory=dict)
    model: Graph | None = field(default=None, repr=False)
    on: Board | None = field(default=None, repr=False)
    plan: Plan | None = field(default=None, repr=False)
    explain: Callable[[float], list[Candidate]] | None = field(default=None, repr=False)
    options: manifest.Options = field(default_factory=manifest.Options)
    tools: dict[str, str] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """Everything but the files' contents, as plain data."""
        return {
            "edgeternary": __version__,
            **self.identity,
            "target": self.target,
            "files": sorted(self.files),
            "estimates": self.estimates,
            "measured": self.measured,
            "layers": self.layers,
        }

    def contents(self, report: bool = True) -> Files:
        """{file name: content} of the folder: the files, the pages of the report, and the manifest.

        report  also report.html, its numbers as report.json, and a README.md
        """
        files = {**self.files, **(late.pages(self) if report and self.model is not None else {})}
        facts = {"options": self.options.record(), "report": report, "tools": self.tools}
        content = {**self.report(), **facts, "sha256": manifest.digests(files)}
        return {**files, MARKER: json.dumps(content, indent=2, ensure_ascii=False) + "\n"}

    def write(self, directory: str | os.PathLike[str], report: bool = True) -> Path:
        """Write the contents as `directory`: whole or not at all."""
        folder = Path(directory)
        write_folder(folder, self.contents(report))
        return folder


@extras.named()
def compile(
    graph: Graph,
    *,
    board: str = "",
    core: str = "",
    device: str = "",
    build: bool = False,
    compiler: str = "auto",
    opt_level: str = "2",
    optimize: str = "cycles",
    max_flash: int | None = None,
    max_ram: int | None = None,
    max_cycles: int | None = None,
    yosys: str = "auto",
    hardware: Constraints = NO_CONSTRAINTS,
    directory: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Project:
    """Sources and estimates of `graph` for one `board`, one `core` ("cortex-m4") or one `device` ("up5k").

    build      also compile and measure (C), or synthesise, place and route and pack a bitstream (HDL)
    compiler   auto, zig or gcc (host: or clang), and `opt_level`, the letter after -O, for `build` in C
    optimize   cycles, flash or ram: what the choice of C kernels makes small
    max_flash, max_ram, max_cycles   limits of a C target, in bytes and cycles of one inference; what could
               exceed its limit is built and measured, and estimated (see `not_measured`) without the tools
    yosys      auto, native or yowasp, for Verilog and synthesis
    hardware   frames a second, LUTs and more of an FPGA design
    directory  write the project there
    progress   called with what is being done
    EdgeTernaryError: code 5 when it does not fit the board or a limit, 3 when a tool or an extra of the
    package is missing.
    """
    if sum(map(bool, (board, core, device))) != 1:
        raise EdgeTernaryError(
            "name one target",
            "a model is compiled for one core, one device or one board",
            "for example core='cortex-m4', device='ice40' or board='pico'",
            USAGE,
        )
    found: Board | None = load_board(board) if board else None
    options = manifest.Options(
        compiler, opt_level, optimize, max_flash, max_ram, max_cycles,
        found.name if found else "", core, device, build, yosys, hardware,
    )  # fmt: skip
    if found and found.fpga:
        device = found.fpga.family
    elif found:
        found.memory()
        core = found.core
    elif core:
        core = find_core(core).name
    if device and any(limit is not None for limit in (max_flash, max_ram, max_cycles)):
        why = "flash, RAM and cycles of a core are what they limit"
        raise EdgeTernaryError("no limits for hardware", why, "leave out --max-...", USAGE)
    if not device and hardware != NO_CONSTRAINTS:
        why = f"{found.name if found else core} is no FPGA, and nothing else is folded to a rate or a size"
        raise EdgeTernaryError(
            "no hardware to plan", why, "name a device, or leave the constraints out", USAGE
        )
    if device:
        made = fpga.make(graph, device, found, build, progress, yosys, hardware)
    else:
        made = c_project.make(graph, core, found, build, progress, options)
    target, files = found.name if found else core or device, made.files
    identity: dict[str, Any] = {"graph": _file_name(graph)}
    if found and made.image:
        identity = {**_identity(graph, found), **made.image}
    files |= _sources(graph, found)
    project = Project(
        target, files, made.estimates, made.measured, made.layers, identity,
        graph, found, made.plan, made.explain,
        options, manifest.tools(options, found, "" if device else core, bool(made.measured)),
    )  # fmt: skip
    if directory is not None:
        project.write(directory)
    return project


def _identity(graph: Graph, board: Board) -> dict[str, str]:
    kind = "fpga" if board.fpga else "mcu"
    return {"board": board.name, "kind": kind, "model": graph.name, "graph": _file_name(graph)}


def _sources(graph: Graph, board: Board | None) -> Files:
    """What a build is verified with: the model, and the board's file if it is the user's own."""
    found: Files = {_file_name(graph): to_bytes(graph)}
    if board and not is_known(board):
        found[f"{board.name}.toml"] = Path(board.file).read_bytes()
    return found


def _file_name(graph: Graph) -> str:
    return f"{identifier(graph.name)}.et"
