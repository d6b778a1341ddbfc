"""Executor serial:PORT: a board that runs the model, at the other end of a line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph, IntArray
from edgeternary.ir.wire import from_bytes, to_bytes
from edgeternary.link.client import SECONDS, Client
from edgeternary.link.codec import answer_bytes, check_model, decode_answer, encode_input
from edgeternary.link.converse import converse
from edgeternary.link.frames import Hello
from edgeternary.link.ports import NO_TIME, keeps_time
from edgeternary.run.result import Result, Stat

TARGETED = True  # the port is part of the name
STATELESS = True  # a session also keeps a model alive that has no states
BAUD = 115_200
NO_CYCLES = "the device counts none"


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states. It has no taps.

    target   the port, see link.ports.open_port
    options  baud, patience (seconds an answer may take), digest (of the build that must be there), progress
    stats    cycles of an inference, the mean of all, None with the reason in `cycles_why` where none are
             counted or an emulator keeps no time; board, digest, repeats
    layers   cycles of each, as far as the device counts them
    EdgeTernaryError where nothing or something else answers.
    """
    progress = options.get("progress")
    moved = progress if callable(progress) else lambda done, total: None
    with _board(graph, target, options) as (client, hello):
        talk = converse(client, hello, graph, _sent(graph, inputs), moved)
    timed = keeps_time(target)
    counted = [round(cycles, 1) or None if timed else None for cycles in talk.mean_cycles()] or [None]
    stats: dict[str, Stat] = {"cycles": counted[0]}
    if counted[0] is None:
        stats["cycles_why"] = NO_CYCLES if timed else NO_TIME
    stats |= {
        "board": hello.target,
        "digest": hello.digest,
        "built_by": hello.build,
        "repeats": client.repeats,
    }
    layers: list[dict[str, Stat]] = [{"step": k, "cycles": cycles} for k, cycles in enumerate(counted[1:])]
    return Result(_received(graph, talk.outputs), stats=stats, layers=layers)


def _sent(graph: Graph, codes: np.ndarray) -> np.ndarray:
    """Codes as a board takes them: of several inputs or outputs the bytes, see docs/protocol.md."""
    return to_bytes(graph.inputs, codes) if graph.several else codes


def _received(graph: Graph, answers: np.ndarray) -> np.ndarray:
    return from_bytes(graph.output_values, answers.astype(np.uint8)) if graph.several else answers


class _Session:
    """stats: board, and cycles of a step as the device counts them, their mean."""

    def __init__(self, graph: Graph, client: Client, hello: Hello, again: bool) -> None:
        self.graph = graph
        self.client, self.hello, self.stats = client, hello, dict[str, Stat]({"board": hello.target})
        self.again = again
        self.steps = self.cycles = 0

    def step(self, codes: np.ndarray) -> IntArray:
        body = self.client.run(
            encode_input(self.hello, _sent(self.graph, codes)), answer_bytes(self.hello), self.again
        )
        self.steps += 1
        self.cycles += self.client.cycles()[0]
        self.stats["cycles"] = self.cycles / self.steps or None
        return _received(self.graph, decode_answer(self.hello, body)[0])


@contextmanager
def open(graph: Graph, *, target: str = "", options: Mapping[str, object] = {}) -> Iterator[_Session]:
    """The board at the port `target`, its states reset; options as those of `run`."""
    with _board(graph, target, options) as (client, hello):
        client.reset()
        yield _Session(
            graph, client, hello, again=not graph.states
        )  # a lost run may have moved the states on


@contextmanager
def _board(graph: Graph, target: str, options: Mapping[str, object]) -> Iterator[tuple[Client, Hello]]:
    """The line to a board that runs `graph`, and its reply to hello."""
    if not target:
        raise EdgeTernaryError(
            "executor serial needs a port", "it talks to a board", "for example serial:/dev/ttyACM0", USAGE
        )
    baud, patience = _number(options.get("baud"), BAUD), _number(options.get("patience"), SECONDS)
    with Client.open(target, int(baud), max(patience, SECONDS)) as client:
        hello = client.hello()
        check_model(hello, graph, target, str(options.get("digest") or ""))
        yield client, hello


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and value else default
