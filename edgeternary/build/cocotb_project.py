"""A folder that cocotb can run: the model's Verilog, and vectors whose answers come from numpy."""

import numpy as np

from edgeternary.build.fpga import planned
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.export.cocotb import Vectors, to_cocotb
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.toolchains import require


def cocotb_project(
    graph: Graph, inputs: np.ndarray, device: str = "", asked: Constraints = NO_CONSTRAINTS
) -> dict[str, str]:
    """{file name: text} for codes (samples, *shape), or (samples, steps, *shape) with states, whose steps are
    frames then. Needs amaranth.

    device, asked  what it is planned for, as `compile` takes them. EdgeTernaryError for a design that has to
    load weights first
    """
    require("amaranth")
    from edgeternary.hdl.emit import design_verilog
    from edgeternary.hdl.frames import payloads
    from edgeternary.hdl.testbench import beats as answers

    design, _ = planned(graph, device, asked)
    if design.weights:
        why = "its weights come in on a stream of their own, which this bench does not feed"
        raise EdgeTernaryError(
            "no cocotb bench for this design", why, "--to verilog, whose bench does", USAGE
        )
    outputs = run(graph, inputs, on="numpy").outputs.reshape(-1, *graph.output_value.shape)
    beats = payloads(design.stimulus(inputs.astype(np.int32)))
    vectors = Vectors(
        len(design.top.i.payload),
        len(design.top.o.payload),
        [beats[k : k + design.i_beats] for k in range(0, len(beats), design.i_beats)],
        [answers(design, frame[None]) for frame in outputs],
        design.limit(1),
    )
    return to_cocotb(graph, design_verilog(design), vectors)
