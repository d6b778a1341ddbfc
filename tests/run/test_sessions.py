"""Sessions: one run from the first step to the last, with the bits of numpy; what each executor has."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from inspect import signature

import numpy as np
import pytest

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run import executors, open_session, run
from tests.need import need
from tests.registry.graphs import STATEFUL, inputs, tiny_mlp
from tests.registry.loops import LOOPS


@pytest.mark.parametrize("make", [*STATEFUL, LOOPS[2]])
@pytest.mark.parametrize("on", ["hdl", "hdl:up5k"])
def test_the_states_live_from_step_to_step(make: Callable[[], Graph], on: str) -> None:
    need("amaranth")
    x = inputs(make(), 1, steps=7)
    with open_session(make(), on) as session:
        found = [session.step(codes) for codes in x[0]]
        assert isinstance(session.stats["cycles"], float) and session.stats["cycles"] > 1
    np.testing.assert_array_equal(np.stack(found), run(make(), x).outputs[0])


def test_a_model_without_states_stays_alive_too() -> None:
    need("amaranth")
    x = inputs(tiny_mlp(), 5)
    with open_session(tiny_mlp(), "hdl", {"latency": 12}) as session:
        found = [session.step(codes) for codes in x]
        assert session.stats["cycles"] == session.live.cycles  # type: ignore[attr-defined]  # always the same
    np.testing.assert_array_equal(np.stack(found), run(tiny_mlp(), x).outputs)


def test_what_keeps_nothing_is_refused_elsewhere() -> None:
    with (
        pytest.raises(EdgeTernaryError, match="keeps nothing between steps"),
        open_session(tiny_mlp(), "numpy"),
    ):
        pass
    refused = pytest.raises(EdgeTernaryError, match="cannot run step by step")
    with refused as caught, open_session(STATEFUL[0](), "verilator"):
        pass
    assert caught.value.code == USAGE


@pytest.mark.parametrize("name", executors())
def test_an_executor_says_all_about_itself(name: str) -> None:
    """`run`, and where it can `open`, with the arguments that all of them share."""
    module = importlib.import_module(f"edgeternary.run.{executors()[name]}")
    assert list(signature(module.run).parameters) == ["graph", "inputs", "target", "taps", "options"]
    if hasattr(module, "open"):
        assert list(signature(module.open).parameters) == ["graph", "target", "options"]
