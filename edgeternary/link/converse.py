"""Runs samples on a device and collects its answers and cycles."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.link import faults
from edgeternary.link.client import Client
from edgeternary.link.codec import answer_bytes, decode_answer, encode_input
from edgeternary.link.frames import Hello

REPLAYS = 5  # attempts for a sample of a model with states, whose steps cannot be repeated separately


@dataclass
class Talk:
    """The answers of a device.

    outputs  int32 (samples, *shape); (samples, steps, *shape) for a graph with states
    cycles   for each run: cycles of the whole run, then of each layer that the device counts
    """

    outputs: np.ndarray
    cycles: list[list[int]] = field(default_factory=list)

    def mean_cycles(self) -> list[float]:
        """The mean cycles over the runs. They are 0 for a device without a counter."""
        return [float(x) for x in np.mean(np.asarray(self.cycles, np.float64), axis=0)] if self.cycles else []


def converse(
    client: Client,
    hello: Hello,
    graph: Graph,
    inputs: np.ndarray,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Talk:
    """Answers to inputs (samples, *shape); (samples, steps, *shape) for a graph with states; the shapes are
    those that `hello` names.

    Each sample of a graph with states begins with a reset. EdgeTernaryError (code 4) if the class of an
    answer is not that of its largest number.
    """
    talk = Talk(np.zeros(0, np.int32))
    found: list[object] = []
    for number, sample in enumerate(inputs):
        if graph.states:
            found.append(_sequence(client, hello, sample, talk, number))
        else:
            found.append(_one(client, hello, sample, talk, number))
        progress(number + 1, len(inputs))
    steps = inputs.shape[1:2] if graph.states else ()
    shape = (len(inputs), *steps, *hello.output_shape)
    talk.outputs = np.asarray(found, np.int32).reshape(shape)
    return talk


def _sequence(client: Client, hello: Hello, sample: np.ndarray, talk: Talk, number: int) -> list[np.ndarray]:
    """Runs all steps of a sample. If a reply is lost, it starts again at the first step."""
    for left in reversed(range(REPLAYS)):
        client.reset()
        kept = len(talk.cycles)
        try:
            return [_one(client, hello, step, talk, number, again=False) for step in sample]
        except faults.Lost:
            del talk.cycles[kept:]
            client.repeats += 1
            if not left:
                raise
    raise AssertionError("unreachable")


def _one(
    client: Client, hello: Hello, codes: np.ndarray, talk: Talk, number: int, again: bool = True
) -> np.ndarray:
    body = client.run(encode_input(hello, codes), answer_bytes(hello), again)
    values, index = decode_answer(hello, body)
    if index is not None and index != int(values.argmax()):
        raise EdgeTernaryError(
            f"the class of sample {number} is wrong",
            f"the board says {index}, but its numbers {values.ravel().tolist()[:16]} say {values.argmax()}",
            "report this as a bug",
            NOT_BIT_EXACT,
        )
    talk.cycles.append(client.cycles())
    return values
