"""The reference executor over many steps of a graph with states."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import edgeternary
from edgeternary.ir import Graph
from edgeternary.ops import Conv2d, Dense, _matmul, build

LM = Path(__file__).parents[2] / "examples/matmulfree_lm/kjv.et"


@pytest.mark.slow
def test_a_long_sequence_keeps_its_outputs_alone() -> None:
    graph = edgeternary.load(LM)
    tokens = np.random.default_rng(1).integers(0, 63, (8, 100, 1))
    tracemalloc.start()
    found = edgeternary.run.run(graph, tokens)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    every = sum(4 * int(np.prod(graph.values[op.name].shape)) for op in graph.ops) * tokens.size
    assert peak < every / 4  # all values of all steps would be `every` bytes
    tapped = edgeternary.run.run(graph, tokens[:, :5], taps=True)
    assert set(tapped.taps) == {op.name for op in graph.ops}
    assert_array_equal(tapped.outputs, found.outputs[:, :5])


def wide(kind: str) -> tuple[Graph, int]:
    """A layer whose sums may be odd and above 2^24, where float32 has even numbers only; its largest sum."""
    rng = np.random.default_rng(3)
    if kind == "dense":
        weights = np.full((3, 5), 127, np.int8)
        x = build.value("x", (5,), "uint16")
        layer: Dense | Conv2d = Dense(
            name="y",
            inputs=("x",),
            weights=weights,
            weight_type="int8",
            bias=rng.integers(-9, 9, 3, np.int32),
        )
        return build.graph(x, layer), 5 * 127 * 65535
    groups = {"conv2d": 1, "groups": 2, "depthwise": 4}[kind]
    weights = np.full((4, 3, 3, 4 // groups), 127, np.int8)
    layer = Conv2d(
        name="y", inputs=("x",), weights=weights, weight_type="int8", bias=rng.integers(-9, 9, 4, np.int32),
        groups=groups,
    )  # fmt: skip
    return build.graph(build.value("x", (3, 4, 4), "uint16"), layer), 9 * (4 // groups) * 127 * 65535


@pytest.mark.parametrize("kind", ["dense", "conv2d", "groups", "depthwise"])
def test_sums_beyond_two_to_the_24th_are_exact(kind: str) -> None:
    graph, most = wide(kind)
    assert most > 2**24
    layer = graph.ops[0]
    x = np.random.default_rng(4).integers(2**15, 2**16, (20, *graph.input.shape)).astype(np.int64) | 1
    x[0] = 65535
    found = edgeternary.run.run(graph, x).outputs
    columns = x.reshape(20, -1)
    for o, w in enumerate(layer.weights.astype(np.int64).reshape(len(layer.bias), -1)):
        if kind == "dense":
            assert_array_equal(found[:, o], columns @ w + layer.bias[o])
            continue
        first = o // (4 // layer.groups) * w.size // 9  # channel that the output's group begins with
        for place in range(2):
            window = x[:, :, place : place + 3, first : first + w.size // 9].reshape(20, -1)
            assert_array_equal(found[:, 0, place, o], window @ w + layer.bias[o])


@pytest.mark.parametrize("kind", ["dense", "conv2d", "groups"])
def test_sums_in_float32_are_found_out(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("_matmul", "conv2d"):
        monkeypatch.setattr(f"edgeternary.ops.{module}.exact_dtype", lambda bound: np.float32)
    with pytest.raises(AssertionError):
        test_sums_beyond_two_to_the_24th_are_exact(kind)


def test_float32_is_used_up_to_its_border_only() -> None:
    """2^24 - 1 is the largest bound whose sums float32 holds in any order; 2^24 + 1 is no float32."""
    assert _matmul.exact_dtype(2**24 - 1) is np.float32
    assert _matmul.exact_dtype(2**24 + 1) is np.float64
    x, w = np.array([[1, 2**24]], np.int32), np.ones((2, 1), np.int8)
    assert_array_equal(_matmul.exact_matmul(x, w, 2**24 + 1), [[2**24 + 1]])
