"""Images of all kinds of graphs: types of inputs and answers, states, classes; bit for bit as numpy."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings

from edgeternary.boards import load_board
from edgeternary.build.board_image import self_test
from edgeternary.build.image import link
from edgeternary.build.image_sources import hello
from edgeternary.c.select import select
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.ports import join
from edgeternary.ir.wire import to_bytes
from edgeternary.link.codec import check_model, decode_answer, encode_input
from edgeternary.link.frames import Hello, Kind, Status
from edgeternary.ops import Threshold
from edgeternary.ops.build import graph as graph_of
from edgeternary.ops.build import value
from edgeternary.run import numpy, run
from tests.firmware.emulated import running
from tests.need import need
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, named_inputs
from tests.registry.random_graphs import graphs, stateful_graphs
from tests.registry.several import several, two_heads

pytestmark = pytest.mark.system
BOARD = "mps2_an385"


def check(graph: Graph) -> None:
    """Four samples, or with states four sequences with a reset before each."""
    need("qemu-system-arm", "arm-none-eabi-gcc")
    board, x = load_board(BOARD), inputs(graph, 4)
    numbers = run(graph, x, on="numpy").outputs
    if not graph.states:
        x, numbers = x[:, None], numbers[:, None]
    image = link(select(graph, board.core), board, "edgeternary test", compiler="gcc", opt_level="1")
    with TemporaryDirectory() as name:
        path = Path(name, "image.elf")
        path.write_bytes(image.elf)
        with running(board, path) as device:
            said = Hello.decode(device.ask(Kind.HELLO).body)
            check_model(said, graph, "QEMU", image.digest)
            for sample, expected in zip(x, numbers, strict=True):
                assert device.ask(Kind.RESET).status == Status.OK
                for step, wanted in zip(sample, expected, strict=True):
                    got, index = decode_answer(said, device.ask(Kind.RUN, encode_input(said, step)).body)
                    np.testing.assert_array_equal(got, wanted)
                    vector = len(wanted.shape) == 1 and wanted.size > 1
                    assert index == (int(wanted.argmax()) if vector else None)


@pytest.mark.parametrize("seed", [-1, 3, 8])
def test_several_inputs_and_outputs(seed: int) -> None:
    """The bytes of all inputs go in, those of all outputs come out, and the self test covers them."""
    need("qemu-system-arm", "arm-none-eabi-gcc")
    graph = two_heads() if seed < 0 else several(seed, states=False)
    board, codes = load_board(BOARD), join(graph.inputs, named_inputs(graph, 4))
    right = to_bytes(graph.output_values, numpy.run(graph, codes).outputs)
    test = self_test(graph)
    image = link(
        select(graph, board.core), board, "edgeternary test", compiler="gcc", opt_level="1", test=test
    )
    with TemporaryDirectory() as name:
        path = Path(name, "image.elf")
        path.write_bytes(image.elf)
        with running(board, path) as device:
            said = Hello.decode(device.ask(Kind.HELLO).body)
            check_model(said, graph, "QEMU", image.digest)
            for sample, wanted in zip(to_bytes(graph.inputs, codes), right, strict=True):
                got, index = decode_answer(said, device.ask(Kind.RUN, encode_input(said, sample)).body)
                np.testing.assert_array_equal(got, wanted)
                assert index is None


@pytest.mark.parametrize("make", [*WHOLE, *STATEFUL])
def test_graphs_by_hand(make: object) -> None:
    assert callable(make)
    check(make())


@pytest.mark.parametrize("kind", ["argmax", "max_pool", "lookup", "concat"])
def test_answers_of_other_types(kind: str) -> None:
    narrow = [graph for graph in chosen(kind) if graph.input.type.dtype.itemsize < 4]
    check(narrow[-1])


@settings(max_examples=8, deadline=None)
@given(graphs())
def test_random_graphs(graph: Graph) -> None:
    check(graph)


@settings(max_examples=4, deadline=None)
@given(stateful_graphs())
def test_random_graphs_with_states(graph: Graph) -> None:
    check(graph)


def test_an_input_that_is_too_wide() -> None:
    x = value("x", (3,), "int32", -9, 9)
    t = np.zeros((3, 1), np.int32)
    act = Threshold(
        name="a", inputs=("x",), t=t, base=t[:, 0], step=t[:, 0] + 1, type="binary"
    )  # fmt: skip
    plan = select(graph_of(x, act), "cortex-m3")
    with pytest.raises(EdgeTernaryError, match="up to 16 bits"):
        hello(plan, load_board(BOARD))
