"""Executor cxxrtl: the design as C++ from yosys's CXXRTL, compiled with zig. Pip packages suffice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains import cache, require
from edgeternary.toolchains import run as start

PROGRAM = "simulator"
FLAGS = ("-std=c++17", "-O1", "-fno-sanitize=all", "-w")
WRITE = "write_cxxrtl -O6 -g0 design.cpp"


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), all frames back to back. It has no taps.

    options  yosys (auto, native or yowasp), timeout (seconds), progress (a callable)
    stats    cycles: from one frame's last beat to the next one's; latency: from the first beat in to the
             last beat out of the first frame; yosys, compiler
    """
    require("amaranth")
    from edgeternary.hdl.emit import design_rtlil
    from edgeternary.hdl.top import build
    from edgeternary.hdl.yosys import cxxrtl_headers, version, yosys
    from edgeternary.run._compiled import driver, execute

    tool = str(options.get("yosys") or "auto")
    zig = require("zig")
    design = build(graph)
    text, main, used = design_rtlil(design), driver(design, "cxxrtl_main.cpp.j2"), version(tool)
    top = identifier(graph.name)
    script = f"read_rtlil design.il; hierarchy -top {top}; proc; flatten; opt_clean; {WRITE}"

    def fill(folder: Path) -> None:
        Path(folder, "design.il").write_text(text, encoding="utf-8")
        Path(folder, "main.cpp").write_text(main, encoding="utf-8")
        yosys(script, what=f"writing C++ of model {graph.name!r}", folder=folder, tool=tool)
        command = [*zig.command, "c++", *FLAGS, "-I", str(cxxrtl_headers(tool)), "main.cpp", "-o", PROGRAM]
        start(
            command,
            what=f"building the simulator of model {graph.name!r} with zig {zig.version}",
            cwd=folder,
            env=cache.zig_environment(),
        )

    program = cache.build(cache.digest(text, main, script, used, zig.version, *FLAGS), fill) / PROGRAM
    done = execute(program, design, inputs, Options.read(options))
    return Result(done.outputs, stats={**done.stats, "yosys": used, "compiler": f"zig {zig.version}"})
