"""The examples of every op keep to what its `infer` promised: shape, type and interval."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from edgeternary.ir import REGISTRY
from edgeternary.ops import Requantize
from edgeternary.ops.requantize import ROUNDINGS
from edgeternary.run import run
from tests.registry.graphs import chosen, inputs, kinds

ENOUGH = 4


@pytest.mark.parametrize("kind", kinds())
def test_values_stay_within_their_shape_type_and_interval(kind: str) -> None:
    for seed in range(4):
        for graph in chosen(kind, seed):
            taps = run(graph, inputs(graph, 33, seed), taps=True).taps
            for op in graph.ops:
                value, found = graph.values[op.name], taps[op.name]
                assert found.dtype == np.int32
                assert found.shape == (33, *value.shape)
                assert value.lo <= found.min() and found.max() <= value.hi
                assert value.type.contains(found)


@pytest.mark.parametrize("kind", kinds())
def test_there_are_enough_examples_and_they_vary_with_the_seed(kind: str) -> None:
    assert len(chosen(kind)) >= ENOUGH
    assert any(op.kind == kind for graph in chosen(kind) for op in graph.ops)


@pytest.mark.parametrize("kind", kinds())
def test_no_samples_give_no_outputs(kind: str) -> None:
    for graph in chosen(kind):
        assert run(graph, inputs(graph, 3)[:0]).outputs.shape == (0, *graph.output_value.shape)


@pytest.mark.parametrize("kind", kinds())
def test_an_op_says_what_it_means(kind: str) -> None:
    assert (inspect.getdoc(REGISTRY[kind]) or "").strip()


def test_requantize_has_every_form_with_every_rounding() -> None:
    """Back ends see a rounding only where its form has an example: hardware never sees form C."""
    found = set()
    for graph in chosen("requantize"):
        op = graph.ops[-1]
        assert isinstance(op, Requantize)
        found.add((op.form(graph.input), op.rounding))
    assert found == {(form, r) for form in "ABC" for r in ROUNDINGS if form == "C" or r != "tflite_double"}
