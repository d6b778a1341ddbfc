"""edgeternary export: a model in another tool's format."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgeternary import __version__
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._output import note


@click.command()
@model_argument
@click.option(
    "--to", "target", type=click.Choice(["onnx", "verilog", "c"]), required=True, help="The format."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File (onnx) or folder (verilog, c).")
@click.option("--core", default="host", show_default=True, help="Core that the C is chosen for.")
def command(model: str, target: str, output: Path | None, core: str) -> None:
    """Write MODEL as ONNX (standard integer operators), Verilog (core, AXI-Stream, Wishbone) or C99."""
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
    else:
        from edgeternary.c.render import render

        files = dict(render(graph, core=core))
    files[MARKER] = json.dumps({"edgeternary": __version__, "model": graph.name, "format": target}, indent=2)
    write_folder(output, files)
    note(f"wrote {', '.join(sorted(files))} to {output}")
