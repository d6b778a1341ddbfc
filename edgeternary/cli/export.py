"""edgeternary export: a model in another tool's format."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgeternary import __version__
from edgeternary.cli._inputs import choose_inputs
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import note
from edgeternary.export.names import names

FORMATS = ("onnx", "c", "verilog", "cocotb", *names())


@click.command()
@model_argument
@click.option("--to", "target", type=click.Choice(FORMATS), required=True, help="The format.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File (onnx) or folder (others).")
@click.option("--core", default="", help="Core that C kernels are chosen for: cortex-m4, host, ...")
@click.option("--inputs", "path", type=click.Path(path_type=Path), help="Codes of the vectors as .npy.")
@click.option("--samples", type=click.IntRange(1, 100), default=4, show_default=True, help="Of the vectors.")
def command(model: str, target: str, output: Path | None, core: str, path: Path | None, samples: int) -> None:
    """Write MODEL for another tool.

    \b
    onnx        a file of standard integer operators
    c           C99 alone; verilog: bare core, AXI4-Stream, Wishbone, constraints
    cocotb      Verilog with vectors and a test bench
    make, cmake, platformio, arduino, zephyr, cmsis-pack, vivado, litex
                a folder that builds there, with an example that checks the network's answers
    """
    from edgeternary.report.files import MARKER, write_file, write_folder

    graph = load_model(model)
    stem = Path(model.removeprefix("zoo:")).stem
    output = output or Path(f"{stem}.onnx" if target == "onnx" else f"{stem}-{target}")
    if target == "onnx":
        from edgeternary.export.onnx import to_onnx

        write_file(output, to_onnx(graph))
        note(f"wrote {output}")
        return
    files: dict[str, bytes | str]
    if target == "verilog":
        from edgeternary.hdl.exported import verilog_project

        files = dict(verilog_project(graph))
    elif target == "cocotb":
        from edgeternary.report.cocotb_project import cocotb_project

        inputs, _ = choose_inputs(graph, model, path, samples)
        files = dict(cocotb_project(graph, inputs))
    elif target == "c":
        from edgeternary.c.render import render

        files = dict(render(graph, core=core or "host"))
    else:
        from edgeternary.report.exported import exported

        inputs, _ = choose_inputs(graph, model, path, samples)
        files = exported(graph, target, inputs, core)
    files[MARKER] = json.dumps({"edgeternary": __version__, "model": graph.name, "format": target}, indent=2)
    write_folder(output, files)
    note(f"wrote {', '.join(sorted(files))} to {output}")
