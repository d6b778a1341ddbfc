"""A folder for another ecosystem: sources from a back end, vectors from numpy, text from export.folders."""

from __future__ import annotations

import numpy as np

from edgeternary.export.folders import folder, formats
from edgeternary.ir import Graph
from edgeternary.run import run


def exported(
    graph: Graph, name: str, inputs: np.ndarray, core: str = "", yosys: str = "auto"
) -> dict[str, bytes | str]:
    """{path: content} of format `name` (export.folders.formats) for codes (samples[, steps], *shape).

    core  that C kernels are chosen for; "" is the format's own
    """
    chosen = formats()[name]
    if chosen.sources == "verilog":
        from edgeternary.hdl.exported import verilog_project

        sources = verilog_project(graph, tool=yosys)
    else:
        from edgeternary.c.render import render

        sources = render(graph, core=core or chosen.core)
    outputs = run(graph, inputs, on="numpy").outputs
    steps = inputs.shape[1] if graph.states else 1
    shape = (len(inputs), steps, -1)
    return folder(graph, name, sources, inputs.reshape(shape), outputs.reshape(shape))
