"""Power that fails between two steps, or in the middle of one: states are lost, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.emulate import emulated
from edgeternary.ir import Graph
from edgeternary.link.build import read_build
from edgeternary.link.client import Client
from edgeternary.link.codec import answer_bytes, decode_answer, encode_input
from edgeternary.link.frames import Hello, Kind, Message, encode
from tests.c.graphs import stateful
from tests.need import need

STEPS = 4


def language_model() -> Graph:
    need("torch")
    from tests.lm.models import lowered, small

    return lowered(small(8, 1, 12))


@pytest.mark.system
@pytest.mark.parametrize("model", [stateful, language_model])
def test_only_the_states_are_lost(model: Callable[[], Graph], tmp_path: Path) -> None:
    need("qemu-system-arm", "zig", "pyserial")
    graph = model()
    edgeternary.compile(graph, board="mps2_an386", build=True, directory=tmp_path / "build")
    build = read_build(tmp_path / "build")
    rng = np.random.default_rng(0)
    codes = rng.integers(graph.input.lo, graph.input.hi + 1, (1, STEPS, *graph.input.shape))
    expected = graph.run(codes).outputs[0]
    assert not np.array_equal(expected[0], graph.run(codes[:, [0, 0]]).outputs[0, 1])  # the states matter

    greetings: list[Hello] = []
    for halfway in (False, True, False):
        with emulated(build) as board, Client.open(board.port, patience=60) as client:
            hello = client.hello()
            for step in range(STEPS):  # from the first one on as after power-up, without a reset request
                body = client.run(encode_input(hello, codes[0, step]), answer_bytes(hello), again=False)
                np.testing.assert_array_equal(decode_answer(hello, body)[0], expected[step])
            if halfway:
                client.port.write(encode(Message(Kind.RUN, 99, encode_input(hello, codes[0, 0]))))
        greetings.append(hello)
    assert greetings[0] == greetings[1] == greetings[2] and greetings[0].digest == build.digest[:16]
