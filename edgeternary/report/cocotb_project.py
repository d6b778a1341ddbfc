"""A folder that cocotb can run: the model's Verilog, and vectors whose answers come from numpy."""

from __future__ import annotations

import numpy as np

from edgeternary.export.cocotb import Vectors, to_cocotb
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.toolchains import require


def cocotb_project(graph: Graph, inputs: np.ndarray, yosys: str = "auto") -> dict[str, str]:
    """{file name: text} for codes (samples, *shape). Needs amaranth and yosys."""
    require("amaranth")
    from edgeternary.hdl.emit import design_verilog
    from edgeternary.hdl.frames import pack, payloads
    from edgeternary.hdl.top import build

    design = build(graph)
    outputs = run(graph, inputs, on="numpy").outputs
    vectors = Vectors(
        len(design.top.i.payload),
        len(design.top.o.payload),
        [payloads(pack(frame, design.i_element, design.i_lanes)) for frame in inputs.astype(np.int32)],
        [payloads(pack(frame, design.o_element, design.o_lanes)) for frame in outputs],
        design.limit(1),
    )
    return to_cocotb(graph, design_verilog(design, yosys), vectors)
