"""Executor netlist:DEVICE: what synthesis made of the design, on yosys's models of the device's cells.

LUTs have models of hdl.tools.lut_models, from which yosys writes 40 % of the C++.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeternary.data import templates_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run._device import design_for, need_device, stage
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains import require
from edgeternary.toolchains.compilers import cxx_for_host

TARGETED = True  # the device is part of the name
TAPPED_BY = "hdl"
SINGLE_PORT = "SB_SPRAM256KA"


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), all frames back to back. It has no taps.

    target   a part or family of hdl.devices
    options  as executor cxxrtl, which runs the netlist; fps, max_luts, maximize, embedded
    stats    as executor cxxrtl; luts, ffs, ram_blocks, multipliers
    """
    require("amaranth")
    cxx_for_host(Options.read(options).compiler)  # a missing one is named before yosys runs
    from edgeternary.hdl.devices import DEVICES, family
    from edgeternary.hdl.emit import design_verilog
    from edgeternary.hdl.tools.lut_models import models
    from edgeternary.hdl.tools.synthesis import refuse_multipliers, synthesise
    from edgeternary.run.cxxrtl import simulate

    need_device("netlist", target, DEVICES)
    design, tool = design_for(graph, target, options), str(options.get("yosys") or "auto")
    stage(options)(f"synthesis for {target}")
    figures, folder = synthesise(design_verilog(design), identifier(graph.name), target, tool)
    refuse_multipliers(graph.name, figures)
    _refuse_opaque(graph.name, target, folder)
    # the writer of C++ in yosys 0.52 ends with a fault on some netlists: the pinned one first
    own = {**options, "yosys": "auto"}
    cells = family(target).cells
    done = simulate(design, "design.v", netlist(folder) + models(cells), read_cells(cells), inputs, own)
    return Result(done.outputs, stats={**done.stats, **figures, "device": target})


def netlist(folder: Path) -> str:
    """The netlist as Verilog, out of the folder of `synthesise`, and models that are not yosys's."""
    from edgeternary.hdl.tools.synthesis import cell_types

    text = (folder / "netlist.v").read_text(encoding="utf-8")
    if SINGLE_PORT in cell_types(folder):
        text += (templates_dir() / "hdl" / "single_port.v").read_text(encoding="utf-8")
    return text


def read_cells(cells: tuple[str, ...]) -> str:
    """Commands of yosys that read a netlist and models of its cells.

    With -defer a model is only worked out when a cell asks for it, with the parameters of that cell. Modules
    of the design stay: yosys's model of single-port RAM forgets its contents, which becomes 16,384 writes.
    NO_INCLUDES: the models of ECP5 include flip-flops by other names twice.
    """
    return "; ".join(
        [
            "read_verilog design.v",
            *(f"read_verilog -defer -nooverwrite -DNO_INCLUDES +/{name}" for name in cells),
        ]
    )


def _refuse_opaque(name: str, device: str, folder: Path) -> None:
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.tools.synthesis import cell_types

    opaque = sorted(cell for cell in cell_types(folder) if cell.startswith(family(device).opaque))
    if opaque:
        raise EdgeTernaryError(
            f"the netlist of model {name!r} for {device} cannot be simulated",
            f"yosys has no model of what its cell {opaque[0]} does",
            f"use cxxrtl:{device}; the block RAMs of iCE40 have a model: netlist:up5k",
        )
