"""Stateful models one step at a time: what comes next may depend on the answer.

    with open_session(graph, "cortex-m4") as session:
        logits = session.step(codes)

A session starts with every state at its initial content and keeps the states between calls of `step`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph, IntArray
from edgeternary.run._bench import decode_outputs, elements
from edgeternary.run._device_sessions import cxxrtl, hdl, serial
from edgeternary.run._model import render
from edgeternary.run._options import Options
from edgeternary.run.result import Stat

COUNTED = 4  # steps of a Cortex-M session whose instructions are counted
ENDLESS = 2**32 - 1
Constraints = Mapping[str, object]


class Session(Protocol):
    """A model between two steps; `stats` has what was measured so far, as in Result.stats."""

    stats: dict[str, Stat]

    def step(self, codes: np.ndarray) -> IntArray:
        """Codes (*input shape) in, int32 (*output shape) out; the states move on."""


class _Numpy:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.stats = graph, dict[str, Stat]()
        self.state = {s.value.name: s.init[None] for s in graph.states}

    def step(self, codes: np.ndarray) -> IntArray:
        values = {self.graph.input.name: codes[None].astype(np.int32), **self.state}
        for op in self.graph.ops:
            values[op.name] = op.ref(*(values[name] for name in op.inputs))
        self.state = {s.value.name: values[s.next] for s in self.graph.states}
        return values[self.graph.output][0]


class _Process:
    """The model's C as a filter on this machine: see firmware/ports/host/pipe.c."""

    def __init__(self, graph: Graph, process: subprocess.Popen[bytes], stats: dict[str, Stat]) -> None:
        self.graph, self.process, self.stats = graph, process, stats
        value = graph.output_value
        self.bytes = value.size * value.type.dtype.itemsize
        self._send(np.array([1, ENDLESS], "<u4").tobytes())

    def step(self, codes: np.ndarray) -> IntArray:
        self._send(elements(self.graph.input, codes))
        assert self.process.stdout
        data = self.process.stdout.read(self.bytes)
        return decode_outputs(self.graph, data, ())

    def _send(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()


@contextmanager
def _numpy(graph: Graph, target: str, options: Options, constraints: Constraints) -> Iterator[Session]:
    yield _Numpy(graph)


@contextmanager
def _host(graph: Graph, target: str, options: Options, constraints: Constraints) -> Iterator[Session]:
    from edgeternary.toolchains import Child, compilers

    compiler = compilers.for_host(options.compiler, options.opt_level, options.sanitize)
    model = render(graph, "host", optimize=options.optimize)
    program = compilers.build(
        compiler, model.bench_sources(["ports/host/pipe.c"]), what=f"model {model.prefix}"
    )
    with Child([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield _Process(graph, process, {"compiler": str(compiler)})
        except BrokenPipeError as error:
            raise EdgeTernaryError(
                f"model {model.prefix} ended early on this machine", str(error), "report this as a bug"
            ) from error


class _CortexM:
    """Runs at full speed; a second machine counts the instructions of the first COUNTED steps."""

    def __init__(self, graph: Graph, core: str, options: Options) -> None:
        from edgeternary.run._emulator.count import Counter
        from edgeternary.run._emulator.image import link
        from edgeternary.run._emulator.measure import Bench
        from edgeternary.run._emulator.timing import for_core

        model = render(graph, core, optimize=options.optimize)
        image = link(model, core, compiler=options.compiler, opt_level=options.opt_level)
        self.graph, self.bench, self.counted = graph, Bench(graph, image, core), Bench(graph, image, core)
        timing, how = for_core(core)
        self.counter = Counter(self.counted.machine, {}, image.elf.address(f"{model.prefix}_run"), timing)
        self.stats: dict[str, Stat] = {
            "flash_bytes": image.flash_bytes, "timing": how, "compiler": image.compiler,
        }  # fmt: skip
        self.instructions = self.cycles = self.steps = 0
        self.bench.reset()
        self.counted.reset()

    def step(self, codes: np.ndarray) -> IntArray:
        if self.steps < COUNTED:
            self.counter.reset()
            self.counted.step(codes)
            self.counter.returned()
            for count in self.counter.layers().values():
                self.instructions += count.instructions
                self.cycles += count.cycles or 0
            self.steps += 1
            self.stats["instructions"] = self.instructions / self.steps
            self.stats["cycles"] = self.cycles / self.steps if self.cycles else None
        return decode_outputs(self.graph, self.bench.step(codes), ())


@contextmanager
def _cortex_m(graph: Graph, target: str, options: Options, constraints: Constraints) -> Iterator[Session]:
    from edgeternary.toolchains import require
    from edgeternary.toolchains.cores import core as find_core

    core = find_core(f"cortex-m{target}")
    if not core.unicorn:
        raise EdgeTernaryError(
            f"{core.name} cannot run step by step",
            "its only emulator takes all inputs at once",
            "use numpy, host, cortex-m0plus, -m3, -m4, -m7 or -m33",
            USAGE,
        )
    for tool in ("unicorn", "capstone"):
        require(tool)
    session = _CortexM(graph, core.name, options)
    with session.bench.machine.time_limit(options.timeout):
        yield session


OPENERS = {
    "numpy": _numpy,
    "host": _host,
    "cortex-m": _cortex_m,
    "hdl": hdl,
    "cxxrtl": cxxrtl,
    "serial": serial,
}
TARGETED = ("cortex-m", "hdl", "cxxrtl", "serial")  # what follows the name is the core, the device, the port
STATELESS = ("hdl", "cxxrtl", "serial")  # these also keep a model alive that has no states
NAMES = "use numpy, host, cortex-m0plus, -m3, -m4, -m7, -m33, hdl, cxxrtl or serial:PORT"


@contextmanager
def open_session(
    graph: Graph, on: str, options: Options | None = None, constraints: Mapping[str, object] = {}
) -> Iterator[Session]:
    """A session of `graph` on numpy, host, cortex-m*, hdl, cxxrtl or serial:PORT.

    constraints  of hdl, cxxrtl and serial: their executors' options
    EdgeTernaryError for a graph without states where those are all that a session is for, and (exit code 2)
    for executors that take all inputs at once.
    """
    prefix = next((name for name in OPENERS if on.startswith(name)), None)
    if not graph.states and prefix not in STATELESS:
        raise EdgeTernaryError(
            f"model {graph.name!r} keeps nothing between steps",
            "it has no states, so every answer depends on one input alone",
            "use edgeternary simulate",
        )
    if prefix is None or (prefix not in TARGETED and on != prefix):
        raise EdgeTernaryError(
            f"{on[:40]!r} cannot run step by step",
            "it is unknown, or takes all inputs at once",
            NAMES,
            USAGE,
        )
    opener = OPENERS[prefix](graph, on[len(prefix) :].removeprefix(":"), options or Options(), constraints)
    with opener as session:
        yield session
