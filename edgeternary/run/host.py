"""Executor host: the model's C compiled for this machine, run as a program of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgeternary.ir import Graph
from edgeternary.run._bench import BenchModel, empty_result, exchange
from edgeternary.run._model import render
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains import compilers


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states.

    options  compiler (zig, gcc, clang, auto), opt_level ("2"), sanitize (address and undefined-behaviour
             checks, with gcc or clang), timeout (seconds for all samples), progress (a callable)
    """
    chosen = Options.read(options)
    return execute(graph, inputs, render(graph, "host", taps=taps, optimize=chosen.optimize), chosen)


def execute(graph: Graph, inputs: np.ndarray, model: BenchModel, options: Options) -> Result:
    """Run C that is already there."""
    if len(inputs) == 0:
        return empty_result(graph, inputs)
    compiler = compilers.for_host(options.compiler, options.opt_level, options.sanitize)
    files = ["ports/host/stdio.c", *(["core/taps.c"] if model.taps else [])]
    program = compilers.build(compiler, model.bench_sources(files), what=f"model {model.prefix}")
    command = [str(program), "inputs.bin", "outputs.bin", "taps.bin"]
    what = f"model {model.prefix} on this machine"
    outputs, taps = exchange(graph, inputs, model, command, what=what, options=options)
    return Result(
        outputs=outputs,
        taps=taps,
        stats={"compiler": str(compiler), "opt_level": options.opt_level, "sanitize": int(options.sanitize)},
    )
