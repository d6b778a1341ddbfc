"""Executor cxxrtl: the design as C++ from yosys's CXXRTL, compiled with zig (from pip), gcc or clang."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError, TimedOut
from edgeternary.ir import Graph, IntArray
from edgeternary.ir.names import identifier
from edgeternary.run import _cxx
from edgeternary.run._device import design_for, stage
from edgeternary.run._options import Options
from edgeternary.run.result import Result, Stat
from edgeternary.toolchains import Child, cache, find, require
from edgeternary.toolchains.compilers import cxx_for_host

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design

PROGRAM = "simulator"
TARGETED = True  # a device may be part of the name
WAVES = (".vcd",)
STATELESS = True  # a session also keeps a model alive that has no states
TAPPED_BY = "hdl"
PLANNED = ("fps", "max_luts", "maximize", "clock", "latency", "embedded")  # options that designs differ by
READ = "read_rtlil design.il"
FALL_BACK = 600.0  # seconds after which Verilator runs the design
CLEAN = "delete t:$scopeinfo; opt_clean"
WRITE = "write_cxxrtl -O6 {debug} design.cpp"  # -g4: every named signal can be read, at a cost in time


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), all frames back to back. It has no taps.

    target   "", or the device whose design runs, see run._device
    options  yosys (auto, native or yowasp), compiler (auto, zig, gcc or clang), timeout (seconds),
             compile_limit (seconds), progress (a callable), waves (a .vcd file)
    stats    cycles: from one frame's last beat to the next one's; latency: from the first beat in to the
             last beat out of the first frame; yosys, compiler
    """
    require("amaranth")
    cxx_for_host(Options.read(options).compiler)  # a missing one is named before yosys runs
    design, text = emitted(graph, target, options)
    return simulate(design, "design.il", text, READ, inputs, options)


class _Session:
    """stats: cycles, the mean of a step from its first beat in to its last beat out; yosys, compiler."""

    def __init__(self, design: Design, process: subprocess.Popen[bytes], stats: dict[str, Stat]) -> None:
        from edgeternary.hdl.frames import words_of
        from edgeternary.run._compiled import width

        self.design, self.process, self.stats = design, process, stats
        self.words = [words_of(width(design, port)) for port in design.outs]
        self.steps = self.cycles = 0

    def step(self, codes: np.ndarray) -> IntArray:
        assert self.process.stdin and self.process.stdout
        words = self.design.frame(codes.astype(np.int32), self.steps == 0)
        self.process.stdin.write(b"".join(one.astype("<u4").tobytes() for one in words))
        self.process.stdin.flush()
        counts = [port.beats * n for port, n in zip(self.design.outs, self.words, strict=True)]
        size = 4 * (sum(counts) + 1)
        data = self.process.stdout.read(size)
        if len(data) < size:
            raise EdgeTernaryError(
                f"the hardware of model {self.design.graph.name!r} does not answer",
                f"nothing for {self.design.limit(0):,} cycles",
                "report this: a stream of the design is stuck",
            )
        *answer, cycles = np.frombuffer(data, "<u4")
        self.steps += 1
        self.cycles += int(cycles)
        self.stats["cycles"] = self.cycles / self.steps
        parts = np.split(np.array(answer, np.uint32), np.cumsum(counts)[:-1])
        found = [part.reshape(-1, n) for part, n in zip(parts, self.words, strict=True)]
        return self.design.gathered(found, (1,))[0]


@contextmanager
def open(graph: Graph, *, target: str = "", options: Mapping[str, object] = {}) -> Iterator[_Session]:
    """The design as a compiled program that lives from step to step.

    options  of the design, see run._device; yosys
    """
    require("amaranth")
    design, text = emitted(graph, target, options)
    program, stats = built(design, "design.il", text, READ, options)
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
        Path(folder, "weights").write_bytes(design.weights)
        with Child([program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            yield _Session(design, process, stats)


def emitted(graph: Graph, target: str, options: Mapping[str, object]) -> tuple[Design, str]:
    """The design for a device, and its RTLIL."""
    constraints = tuple((name, options.get(name)) for name in PLANNED)
    return _emitted(graph, target, constraints)


@lru_cache(maxsize=4)  # a policy in closed loop is run hundreds of times
def _emitted(graph: Graph, target: str, constraints: tuple[tuple[str, object], ...]) -> tuple[Design, str]:
    from edgeternary.hdl.emit import design_rtlil

    design = design_for(graph, target, dict(constraints))
    return design, design_rtlil(design)


def simulate(
    design: Design, name: str, text: str, read: str, inputs: np.ndarray, options: Mapping[str, object]
) -> Result:
    """Run a design, or what tools made of it: yosys finds `text` in the file `name` and does `read`.

    Where the C++ takes longer than `compile_limit`, Verilator runs the same design if it is installed, which
    `stage` is told; stats then name it.
    """
    from edgeternary.run._compiled import execute

    try:
        program, used = built(design, name, text, read, options)
    except TimedOut as error:
        if not find("verilator").found or options.get("waves"):
            raise
        stage(options)(f"{error.what}; verilator runs it")
        return _verilated(design, name, text, read, inputs, options)
    done = execute(program, design, inputs, Options.read(options))
    return Result(done.outputs, stats={**done.stats, **used})


def _verilated(
    design: Design, name: str, text: str, read: str, inputs: np.ndarray, options: Mapping[str, object]
) -> Result:
    """What `simulate` does, by Verilator: yosys writes what it reads as flat Verilog."""
    from edgeternary.hdl.tools.yosys import yosys
    from edgeternary.run.verilator import simulate

    with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
        Path(folder, name).write_text(text, encoding="utf-8")
        script = flat(identifier(design.graph.name), read) + "; write_verilog -noattr flat.v"
        tool, what = str(options.get("yosys") or "auto"), f"flat Verilog of model {design.graph.name!r}"
        yosys(script, what=what, folder=Path(folder), tool=tool)
        source = Path(folder, "flat.v").read_text(encoding="utf-8")
    return simulate(design, source, inputs, options)


def built(
    design: Design, name: str, text: str, read: str, options: Mapping[str, object]
) -> tuple[Path, dict[str, Stat]]:
    """The simulator of `simulate` as a program, and what made it."""
    from edgeternary.hdl.tools import shipped
    from edgeternary.hdl.tools.yosys import cxxrtl_headers, version, yosys
    from edgeternary.run._compiled import driver

    tool = str(options.get("yosys") or "auto")
    own = Options.read(options)
    suffix = Path(own.waves).suffix
    graph, main, used = design.graph, driver(design, "cxxrtl_main.cpp.j2", suffix), version(tool)
    script = cxxrtl_script(identifier(graph.name), read, "-g4" if suffix else "-g0")

    headers = cxxrtl_headers(tool)
    ready = None
    if tool == "auto" and options.get("shipped", True):
        ready = shipped.cxxrtl(identifier(graph.name), text, script, headers)
    if ready:
        used = ready[1]

    def fill(folder: Path) -> None:
        what = f"model {graph.name!r}"
        Path(folder, name).write_text(text, encoding="utf-8")
        Path(folder, "main.cpp").write_text(main, encoding="utf-8")
        if ready:
            Path(folder, "design.cpp").write_text(ready[0], encoding="utf-8")
        else:
            stage(options)("yosys writes C++")
            yosys(script, what=f"writing C++ of {what}", folder=folder, tool=tool)
        size = Path(folder, "design.cpp").stat().st_size / 1e6
        stage(options)(f"compiling {size:.1f} MB of C++")
        _cxx.build(folder, headers, PROGRAM, what, own.compiler, bool(suffix), compile_limit(options))

    key = cache.digest(text, main, script, used, *_cxx.recipe(own.compiler))
    program = cache.build(key, fill) / PROGRAM
    return program, {"yosys": used, "compiler": str(cxx_for_host(own.compiler))}


def compile_limit(options: Mapping[str, object]) -> float:
    """The option `compile_limit`: seconds that a unit of the C++ may take to compile."""
    usual = FALL_BACK if find("verilator").found else _cxx.BUILD_SECONDS
    limit = options.get("compile_limit") or usual
    if not isinstance(limit, int | float) or limit <= 0:
        raise EdgeTernaryError(
            f"bad option compile_limit={limit!r}", "it is a number of seconds", "use a number above 0", USAGE
        )
    return float(limit)


def cxxrtl_script(top: str, read: str = READ, debug: str = "-g0") -> str:
    """What yosys does to write design.cpp; `read` is how it reads the design."""
    return f"{flat(top, read)}; {WRITE.format(debug=debug)}"


def flat(top: str, read: str) -> str:
    """Commands of yosys that make one module of what `read` reads."""
    return f"{read}; hierarchy -check -top {top}; proc; flatten; {CLEAN}"
