"""Executor host: the model's C compiled for this machine, run as a program of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeternary.ir import Graph
from edgeternary.run._bench import (
    BenchModel,
    decode_outputs,
    decode_taps,
    empty_result,
    encode_inputs,
    lead_shape,
)
from edgeternary.run._model import render
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains import compilers
from edgeternary.toolchains.process import run as start


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states.

    options  compiler (zig, gcc, clang, auto), optimize ("2"), sanitize (address and undefined-behaviour
             checks, with gcc or clang), timeout (seconds for all samples), progress (a callable)
    """
    return execute(graph, inputs, render(graph, "host", taps=taps), Options.read(options))


def execute(graph: Graph, inputs: np.ndarray, model: BenchModel, options: Options) -> Result:
    """Run C that is already there."""
    if len(inputs) == 0:
        return empty_result(graph, inputs)
    compiler = compilers.for_host(options.compiler, options.optimize, options.sanitize)
    files = ["ports/host/stdio.c", *(["core/taps.c"] if model.taps else [])]
    program = compilers.build(compiler, model.bench_sources(files), what=f"model {model.prefix}")
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        folder = Path(name)
        (folder / "inputs.bin").write_bytes(encode_inputs(graph, inputs))
        start(
            [program, "inputs.bin", "outputs.bin", "taps.bin"],
            what=f"model {model.prefix} on this machine",
            cwd=folder,
            timeout=options.timeout,
        )
        output, tapped = (folder / "outputs.bin").read_bytes(), (folder / "taps.bin").read_bytes()
    options.progress(len(inputs), len(inputs))
    lead = lead_shape(graph, inputs)
    return Result(
        outputs=decode_outputs(graph, output, lead),
        taps=decode_taps(model.taps, tapped, lead),
        stats={"compiler": str(compiler), "optimize": options.optimize, "sanitize": int(options.sanitize)},
    )
