"""simplify: fewer layers, the same outputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeternary.ir import Graph, State
from edgeternary.ops import Add, Concat, Reshape, build
from edgeternary.passes import optimize
from edgeternary.passes.simplify import simplify
from edgeternary.run import run
from tests.registry.graphs import STATEFUL, WHOLE, inputs


def reshape(name: str, source: str, *shape: int) -> Reshape:
    return Reshape(name=name, inputs=(source,), shape=shape)


def check(graph: Graph, kept: list[str]) -> None:
    found = simplify(graph)
    assert [op.name for op in found.ops] == kept
    codes = inputs(graph, 9)
    np.testing.assert_array_equal(run(found, codes).outputs, run(graph, codes).outputs)


X = build.value("x", (2, 3, 4), "int8")


def test_a_reshape_to_the_same_shape_goes() -> None:
    check(build.graph(X, reshape("same", "x", 2, 3, 4), Add(name="y", inputs=("same", "x"))), ["y"])


def test_reshapes_in_a_row_become_one() -> None:
    graph = build.graph(X, reshape("a", "x", 24), reshape("b", "a", 4, 6), reshape("c", "b", 6, 4))
    check(graph, ["c"])
    assert simplify(graph).op("c").inputs == ("x",)


def test_a_reshape_there_and_back_goes() -> None:
    graph = build.graph(
        X, reshape("a", "x", 24), reshape("b", "a", 2, 3, 4), Add(name="y", inputs=("b", "x"))
    )
    check(graph, ["y"])


def test_a_reshape_that_others_read_stays() -> None:
    graph = build.graph(
        X, reshape("a", "x", 24), Add(name="y", inputs=("a", "a")), reshape("b", "a", 4, 6),
        reshape("c", "b", 24), Add(name="z", inputs=("y", "c")),
    )  # fmt: skip
    check(graph, ["a", "y", "c", "z"])
    assert simplify(graph).op("c").inputs == ("x",)


def test_the_output_stays_even_as_an_idle_reshape() -> None:
    check(build.graph(X, reshape("y", "x", 2, 3, 4)), ["y"])


def test_layers_that_nobody_reads_go() -> None:
    dead = (Add(name="dead", inputs=("x", "x")), Add(name="deader", inputs=("dead", "dead")))
    check(build.graph(X, *dead, Concat(name="y", inputs=("x", "x"))), ["y"])


def test_what_a_state_needs_stays() -> None:
    state = State(build.value("s", (2, 3, 4), "int8"), np.zeros((2, 3, 4), np.int32), "same")
    ops = (reshape("same", "x", 2, 3, 4), Add(name="y", inputs=("x", "s")))
    graph = Graph("g", X, ops, "y", (state,))
    found = simplify(graph)
    assert [op.name for op in found.ops] == ["y"] and found.states[0].next == "x"
    codes = inputs(graph, 5)
    np.testing.assert_array_equal(run(found, codes).outputs, run(graph, codes).outputs)
    keep = replace(graph, ops=(*ops, reshape("flat", "s", 24), reshape("back", "flat", 2, 3, 4)))
    assert [op.name for op in simplify(keep).ops] == ["y"]


@pytest.mark.parametrize("make", WHOLE + STATEFUL)
def test_optimize_keeps_the_output_of_whole_models(make: object) -> None:
    assert callable(make)
    graph = make()
    codes = inputs(graph, 40)
    np.testing.assert_array_equal(run(optimize(graph), codes).outputs, run(graph, codes).outputs)
