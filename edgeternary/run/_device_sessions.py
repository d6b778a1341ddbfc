"""Sessions of hardware: the design in Amaranth's simulator, and a board at the other end of a line."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, IntArray
from edgeternary.link.client import SECONDS, Client
from edgeternary.link.codec import answer_bytes, check_model, decode_answer, encode_input
from edgeternary.run._device import design_for
from edgeternary.run._options import Options
from edgeternary.run.result import Stat
from edgeternary.toolchains import Child, require

if TYPE_CHECKING:
    from edgeternary.hdl.live import Live
    from edgeternary.hdl.top import Design
    from edgeternary.link.frames import Hello


class _Hdl:
    """stats: cycles, the mean of a step from its first beat in to its last beat out."""

    def __init__(self, live: Live) -> None:
        self.live, self.stats = live, dict[str, Stat]()
        self.steps = self.cycles = 0

    def step(self, codes: np.ndarray) -> IntArray:
        found = self.live.frame(codes.astype(np.int32), first=self.steps == 0)
        self.steps += 1
        self.cycles += self.live.cycles
        self.stats["cycles"] = self.cycles / self.steps
        return found


@contextmanager
def hdl(graph: Graph, target: str, options: Options, constraints: Mapping[str, object]) -> Iterator[_Hdl]:
    """The design for the device `target`, or the bare core, simulated on from step to step."""
    require("amaranth")
    from edgeternary.hdl.live import Live

    yield _Hdl(Live(design_for(graph, target, constraints)))


class _Cxxrtl:
    """The program that `run.cxxrtl` builds, frame by frame; stats as those of `_Hdl`."""

    def __init__(self, design: Design, process: subprocess.Popen[bytes], stats: dict[str, Stat]) -> None:
        from edgeternary.hdl.frames import words_of

        self.design, self.process, self.stats = design, process, stats
        self.width = words_of(len(design.top.o.payload))
        self.steps = self.cycles = 0

    def step(self, codes: np.ndarray) -> IntArray:
        assert self.process.stdin and self.process.stdout
        words = self.design.frame(codes.astype(np.int32), self.steps == 0)
        self.process.stdin.write(words.astype("<u4").tobytes())
        self.process.stdin.flush()
        size = 4 * (self.design.o_beats * self.width + 1)
        data = self.process.stdout.read(size)
        if len(data) < size:
            raise EdgeTernaryError(
                f"the hardware of model {self.design.graph.name!r} does not answer",
                f"nothing for {self.design.limit(0):,} cycles",
                "report this: a stream of the design is stuck",
            )
        *answer, cycles = np.frombuffer(data, "<u4")
        self.steps += 1
        self.cycles += int(cycles)
        self.stats["cycles"] = self.cycles / self.steps
        return self.design.outputs(np.array(answer, np.uint32).reshape(-1, self.width), (1,))[0]


@contextmanager
def cxxrtl(
    graph: Graph, target: str, options: Options, constraints: Mapping[str, object]
) -> Iterator[_Cxxrtl]:
    """The same design as a compiled program that lives from step to step."""
    require("amaranth")
    from edgeternary.run import cxxrtl as executor

    design, text = executor.emitted(graph, target, constraints)
    program, stats = executor.built(design, "design.il", text, executor.READ, constraints)
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
        Path(folder, "weights").write_bytes(design.weights)
        with Child([program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            yield _Cxxrtl(design, process, stats)


class _Serial:
    """stats: cycles of a step as the device counts them, their mean."""

    def __init__(self, client: Client, hello: Hello) -> None:
        self.client, self.hello, self.stats = client, hello, dict[str, Stat]({"board": hello.target})
        self.again = False
        self.steps = self.cycles = 0

    def step(self, codes: np.ndarray) -> IntArray:
        body = self.client.run(encode_input(self.hello, codes), answer_bytes(self.hello), self.again)
        self.steps += 1
        self.cycles += self.client.cycles()[0]
        self.stats["cycles"] = self.cycles / self.steps or None
        return decode_answer(self.hello, body)[0]


@contextmanager
def serial(
    graph: Graph, target: str, options: Options, constraints: Mapping[str, object]
) -> Iterator[_Serial]:
    """A board at the port `target`; constraints: baud, patience, digest, as the executor's options."""
    baud, patience = (
        int(str(constraints.get("baud") or 115_200)),
        float(str(constraints.get("patience") or SECONDS)),
    )
    with Client.open(target, baud, max(patience, SECONDS)) as client:
        hello = client.hello()
        check_model(hello, graph, target, str(constraints.get("digest") or ""))
        client.reset()
        session = _Serial(client, hello)
        session.again = not graph.states  # a run that was lost may have moved the states on
        yield session
