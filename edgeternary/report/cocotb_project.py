"""A folder that cocotb can run: the model's Verilog, and vectors whose answers come from numpy."""

from __future__ import annotations

import numpy as np

from edgeternary.export.cocotb import Vectors, to_cocotb
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.toolchains import require


def cocotb_project(graph: Graph, inputs: np.ndarray, yosys: str = "auto") -> dict[str, str]:
    """{file name: text} for codes (samples, *shape), or (samples, steps, *shape) with states, whose steps are
    frames then. Needs amaranth and yosys."""
    require("amaranth")
    from edgeternary.hdl.emit import design_verilog
    from edgeternary.hdl.frames import pack, payloads
    from edgeternary.hdl.top import build

    design = build(graph)
    outputs = run(graph, inputs, on="numpy").outputs.reshape(-1, *graph.output_value.shape)
    beats = payloads(design.stimulus(inputs.astype(np.int32)))
    vectors = Vectors(
        len(design.top.i.payload),
        len(design.top.o.payload),
        [beats[k : k + design.i_beats] for k in range(0, len(beats), design.i_beats)],
        [payloads(pack(frame, design.o_element, design.o_lanes)) for frame in outputs],
        design.limit(1),
    )
    return to_cocotb(graph, design_verilog(design, yosys), vectors)
