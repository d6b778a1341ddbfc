"""A folder for another ecosystem: sources from a back end, vectors from numpy, text from export.folders."""

import numpy as np

from edgeternary.export.folders import folder, formats
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints
from edgeternary.ir import Graph
from edgeternary.run import run

ALONE = ("verilog", "cocotb")  # hardware without a description of a format


def is_hardware(name: str) -> bool:
    """Whether a format holds Verilog."""
    return name in ALONE or (name in formats() and formats()[name].sources == "verilog")


def exported(
    graph: Graph,
    name: str,
    inputs: np.ndarray,
    core: str = "",
    device: str = "",
    asked: Constraints = NO_CONSTRAINTS,
) -> dict[str, bytes | str]:
    """{path: content} of format `name` ("verilog", "cocotb" or one of export.folders.formats) for codes
    (samples[, steps], *shape).

    core           that C kernels are chosen for; "" is the format's own
    device, asked  what hardware is planned for, as `compile` takes them
    """
    if name != "verilog":
        graph.check_single(f"export format {name}", "edgeternary compile --core CORE writes its C")
    if is_hardware(name):
        from edgeternary.build import cocotb_project, fpga

        if name == "cocotb":
            return dict(cocotb_project.cocotb_project(graph, inputs, device, asked))
        sources, _, _ = fpga.sources(graph, device, asked, inputs)
        if name == "verilog":
            return dict(sources)
        texts = {path: text for path, text in sources.items() if isinstance(text, str)}
    else:
        from edgeternary.c.render import render

        texts = dict(render(graph, core=core or formats()[name].core))
    outputs = run(graph, inputs, on="numpy").outputs
    steps = inputs.shape[1] if graph.states else 1
    shape = (len(inputs), steps, -1)
    return folder(graph, name, texts, inputs.reshape(shape), outputs.reshape(shape))
