"""Executor host: the model's C compiled for this machine, run as a program of its own."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, IntArray
from edgeternary.run._bench import BenchModel, decode_outputs, empty_result, exchange, input_bytes
from edgeternary.run._model import render
from edgeternary.run._options import Options
from edgeternary.run.result import Result, Stat
from edgeternary.toolchains import Child, compilers

SHARED = True  # processes may share the samples
ENDLESS = 2**32 - 1  # steps of a session


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
    shared = ("bench/bench.h", "bench/stdio.c")
    program = compilers.build(
        compiler, model.bench_sources(files), shared=shared, what=f"model {model.prefix}"
    )
    command = [str(program), "inputs.bin", "outputs.bin", "taps.bin"]
    what = f"model {model.prefix} on this machine"
    outputs, taps = exchange(graph, inputs, model, command, what=what, options=options)
    return Result(
        outputs=outputs,
        taps=taps,
        stats={"compiler": str(compiler), "opt_level": options.opt_level, "sanitize": int(options.sanitize)},
    )


class _Session:
    """The model's C as a filter on this machine: see firmware/ports/host/pipe.c."""

    def __init__(self, graph: Graph, process: subprocess.Popen[bytes], stats: dict[str, Stat]) -> None:
        self.graph, self.process, self.stats = graph, process, stats
        self.bytes = sum(value.size * value.type.dtype.itemsize for value in graph.output_values)
        self._send(np.array([1, ENDLESS], "<u4").tobytes())

    def step(self, codes: np.ndarray) -> IntArray:
        self._send(input_bytes(self.graph, codes))
        assert self.process.stdout
        data = self.process.stdout.read(self.bytes)
        return decode_outputs(self.graph, data, ())

    def _send(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()


@contextmanager
def open(graph: Graph, *, target: str = "", options: Mapping[str, object] = {}) -> Iterator[_Session]:
    """A session of `graph`, which has states; options as those of `run`."""
    chosen = Options.read(options)
    compiler = compilers.for_host(chosen.compiler, chosen.opt_level, chosen.sanitize)
    model = render(graph, "host", optimize=chosen.optimize)
    sources = model.bench_sources(["ports/host/pipe.c"])
    program = compilers.build(compiler, sources, what=f"model {model.prefix}")
    with Child([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield _Session(graph, process, {"compiler": str(compiler)})
        except BrokenPipeError as error:
            raise EdgeTernaryError(
                f"model {model.prefix} ended early on this machine", str(error), "report this as a bug"
            ) from error
