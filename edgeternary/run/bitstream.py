"""Executor bitstream:DEVICE: the packed file that is flashed, turned back into cells and simulated."""

from collections.abc import Mapping

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run._device import design_for, need_device, stage
from edgeternary.run._options import Options
from edgeternary.run.netlist import SINGLE_PORT, read_cells
from edgeternary.run.result import Result
from edgeternary.toolchains import require
from edgeternary.toolchains.compilers import cxx_for_host

TARGETED = True  # the device is part of the name
TAPPED_BY = "hdl"


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), all frames back to back. It has no taps.

    target   up5k or hx8k
    options  as executor netlist
    stats    as executor netlist; fmax_mhz and frames_per_s of the placement: the best that is cached, else
             that of seed 1
    EdgeTernaryError (code 5) where the design does not fit the part.
    """
    require("amaranth")
    from edgeternary.hdl.devices import PARTS, family, part
    from edgeternary.hdl.emit import design_verilog
    from edgeternary.hdl.tools.place import best, pack, place, ports
    from edgeternary.hdl.tools.synthesis import cell_types, refuse_multipliers, synthesise
    from edgeternary.hdl.tools.unpack import unpacked, verilog
    from edgeternary.run.cxxrtl import simulate

    usable = tuple(name for name, known in PARTS.items() if known.family == "ice40")
    need_device("bitstream", target, usable)
    if family(target).name != "ice40":
        raise EdgeTernaryError(
            f"executor bitstream cannot run {target}",
            "no tool turns its bitstreams back into a netlist",
            f"use netlist:{target}, or bitstream:{usable[0]}",
            USAGE,
        )
    if options.get("embedded"):
        raise EdgeTernaryError(
            "executor bitstream runs no embedded core",
            "its ports end inside a larger design, and a bitstream has pins alone",
            f"netlist:{target}, or leave --embedded out",
            USAGE,
        )
    chosen, tool = part(target), str(options.get("yosys") or "auto")
    for name in ("nextpnr-ice40", "icepack", "iceunpack", "icebox_vlog"):
        require(name)
    cxx_for_host(Options.read(options).compiler)  # a missing one is named before yosys runs
    design, top = design_for(graph, target, options), identifier(graph.name)
    stage(options)(f"synthesis for {target}")
    figures, folder = synthesise(design_verilog(design), top, target, tool)
    refuse_multipliers(graph.name, figures)
    if SINGLE_PORT in cell_types(folder):
        raise EdgeTernaryError(
            f"the bitstream of model {graph.name!r} for {target} cannot be simulated",
            f"icebox_vlog leaves out its single-port RAM ({SINGLE_PORT})",
            f"use netlist:{target}",
        )
    placed = best(
        place(folder / "netlist.json", chosen, 1, name=graph.name, kept=True, progress=stage(options))
    )
    stage(options)("reading the bitstream back")
    source = verilog(unpacked(pack(placed, chosen)), ports(placed), top)
    done = simulate(
        design, "design.v", source, read_cells(family(target).cells), inputs, {**options, "yosys": "auto"}
    )
    speed: dict[str, int | float | str | None] = {"fmax_mhz": placed.fmax_mhz}
    if cycles := done.stats.get("cycles"):
        speed["frames_per_s"] = round(placed.fmax_mhz * 1e6 / float(cycles), 1)
    return Result(done.outputs, stats={**done.stats, **figures, **speed, "device": target})
