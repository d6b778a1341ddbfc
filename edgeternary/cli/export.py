"""edgeternary export: a model in another tool's format."""

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._hardware import Hardware, cut, hardware_options
from edgeternary.cli._help import verb
from edgeternary.cli._inputs import choose_inputs
from edgeternary.cli._model import load_model, model_argument
from edgeternary.cli._names import CoreName, complete_device, short
from edgeternary.cli._output import note
from edgeternary.cli._record import defaulted, record
from edgeternary.cli._used import refuse_on_export
from edgeternary.export.names import names
from edgeternary.version import __version__

# Formats of one file: the function that makes its bytes, and the suffix.
FILES = {
    "onnx": ("edgeternary.export.onnx:to_onnx", "onnx"),
    "qonnx": ("edgeternary.export.qonnx:to_qonnx", "onnx"),
    "tflite": ("edgeternary.export.tflite:to_tflite", "tflite"),
}
FORMATS = (*FILES, "c", "verilog", "cocotb", *names())


@dataclass(frozen=True)
class Vectors:
    """The inputs of benches and examples: codes of a file, or the model's own."""

    path: Path | None
    samples: int


@verb()
@model_argument
@click.option(
    "--to", "target", type=click.Choice(FORMATS), metavar="FORMAT", required=True, help="One of these."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File or folder; default: after the model.",
)
@click.option("--core", type=CoreName(), help=f"C kernels for {short()}.")
@click.option(
    "--device",
    shell_complete=complete_device,
    help="Hardware for this FPGA: up5k, ecp5-25f, ...",
)
@hardware_options
@record(
    "vectors",
    Vectors,
    click.option(
        "--inputs", "path", type=click.Path(path_type=Path), help="Input codes of the test vectors."
    ),
    defaulted("--samples", type=click.IntRange(1, 100), default=4, help="Number of test vectors."),
)
def command(
    model: str,
    target: str,
    output: Path | None,
    core: str | None,
    device: str | None,
    hardware: Hardware,
    vectors: Vectors,
) -> None:
    """Write MODEL in the format of another tool.

    \b
    onnx, tflite  a file of standard integer operators, of int8 operators
    qonnx         a file of float operators between quantisers
    c             C99 alone
    verilog       what compile --device writes; cocotb: with a test bench
    make, cmake, platformio, arduino, zephyr, cmsis-pack, vivado, litex
                  a folder that builds there, with an example that checks it

    \b
    Example:
      edgeternary export zoo:fashion-cnn --to arduino
    """
    from edgeternary.build.exported import exported, is_hardware
    from edgeternary.build.files import MARKER, check_folder, write_file, write_folder

    context = click.get_current_context()
    refuse_on_export(context, target, device, hardware=is_hardware(target), c=target not in FILES)
    whole = load_model(model)
    stem = Path(model.removeprefix("zoo:")).stem
    output = output or Path(f"{stem}.{FILES[target][1]}" if target in FILES else f"{stem}-{target}")
    if target in FILES:
        module, function = FILES[target][0].split(":")
        make = getattr(importlib.import_module(module), function)
        write_file(output, make(cut(whole, None, hardware)[0]))
        note(f"wrote {output}")
        return
    check_folder(output)
    if target == "c":
        from edgeternary.c.render import render

        files: dict[str, Any] = dict(render(cut(whole, None, hardware)[0], core=core or "host"))
    else:
        inputs, _ = choose_inputs(whole, model, vectors.path, vectors.samples)
        graph, codes = cut(whole, inputs, hardware)
        asked = hardware.constraints()
        files = dict(exported(graph, target, codes, core or "", device or "", asked))
    facts = {"edgeternary": __version__, "model": whole.name, "format": target}
    files[MARKER] = json.dumps(facts | ({"device": device} if device else {}), indent=2)
    write_folder(output, files)
    note(f"wrote {', '.join(sorted(files))} to {output}")
