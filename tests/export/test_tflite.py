"""LiteRT runs what is exported, with its reference and its optimised kernels: the same integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from edgeternary.export._staircase import fit, right, staircase
from edgeternary.export._tflite_codes import MOST_LEVELS, of_type
from edgeternary.export.tflite import to_tflite
from edgeternary.ir import Graph, Value
from edgeternary.ops import Concat, Dense, Threshold, build
from edgeternary.run import run
from tests.export.drawn import drawn, there_and_back
from tests.registry.graphs import STATEFUL, chosen, kinds, named_inputs, tiny_mlp

litert = pytest.importorskip("ai_edge_litert.interpreter", exc_type=ImportError)
pytest.importorskip("tflite", exc_type=ImportError)
RESOLVERS = litert.OpResolverType.BUILTIN_REF, litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
SOME_HAVE_A_FORM = {
    "add", "concat", "conv2d", "dense", "max_pool", "requantize", "reshape", "slice", "sum_pool", "threshold",
    "upsample",
}  # fmt: skip


def elements(value: Value, codes: np.ndarray) -> np.ndarray:
    lo, gap, levels = of_type(value.type)
    return (codes.astype(np.int32) - (value.lo if levels > MOST_LEVELS else lo)) // gap - 128


def judge(graph: Graph, samples: int = 4, resolver: object = RESOLVERS[0]) -> None:
    interpreter = litert.Interpreter(
        model_content=to_tflite(graph), num_threads=1, experimental_op_resolver_type=resolver
    )
    interpreter.allocate_tensors()
    codes = named_inputs(graph, samples)
    found = run(graph, codes).outputs
    expected = found if isinstance(found, dict) else {graph.output: found}
    for k in range(samples):
        for port, x in zip(interpreter.get_input_details(), graph.inputs, strict=True):
            interpreter.set_tensor(port["index"], elements(x, codes[x.name][k : k + 1]).astype(np.int8))
        interpreter.invoke()
        for port, value in zip(interpreter.get_output_details(), graph.output_values, strict=True):
            theirs, ours = interpreter.get_tensor(port["index"]), expected[value.name][k]
            wanted = elements(value, ours) if theirs.dtype == np.int8 else ours
            np.testing.assert_array_equal(theirs[0], wanted)


@pytest.mark.parametrize("kind", kinds())
def test_every_example(kind: str) -> None:
    """What has no exact form is refused by layer; thresholds of an example are random, not affine."""
    made = 0
    for number, graph in enumerate(chosen(kind, 0)):
        try:
            judge(graph, resolver=RESOLVERS[number % 2])
        except EdgeTernaryError as error:
            assert "cannot be written as TensorFlow Lite" in error.what
        else:
            made += 1
    assert (made > 0) == (kind in SOME_HAVE_A_FORM)


def two_inputs() -> Graph:
    """Two inputs and two outputs: each input has a layer of its own, one output reads both."""
    rng = np.random.default_rng(0)
    a, b = build.value("a", (5,), "int8"), build.value("b", (7,), "uint4")

    def dense(name: str, source: str, size: int) -> Dense:
        weights = build.codes(rng, (3, size), "ternary")
        return Dense(
            name=name,
            inputs=(source,),
            weights=weights,
            weight_type="ternary",
            bias=np.arange(3, dtype=np.int32),
        )

    steps = {"base": np.zeros(3, np.int32), "step": np.ones(3, np.int32), "type": "uint2"}
    t = np.tile(np.array([-9, 0, 9], np.int32), (3, 1))
    acts = [Threshold(name=f"act_{n}", inputs=(n,), t=t, **steps) for n in ("left", "right")]
    both = Concat(name="both", inputs=("act_left", "act_right"))
    ops = [dense("left", "a", 5), dense("right", "b", 7), *acts, both, dense("out", "both", 6)]
    return Graph("two", (a, b), ops, ("left", "out"))


@pytest.mark.parametrize("make", [tiny_mlp, two_inputs])
@pytest.mark.parametrize("resolver", RESOLVERS)
def test_whole_models(make: Callable[[], Graph], resolver: object) -> None:
    judge(make(), 20, resolver)


@pytest.mark.parametrize("name", ["mnist-cnn-small", "fashion-cnn-binary", "basic-motions"])
def test_trained_networks(name: str) -> None:
    judge(zoo.load(name), 2)


@pytest.mark.parametrize("seed", range(10))
def test_there_and_back(seed: int, tmp_path: Path) -> None:
    """Through both formats, an engine for each, and the readers."""
    pytest.importorskip("qonnx", exc_type=ImportError)
    assert there_and_back(drawn(seed), tmp_path, 6) == {"tflite": 0, "onnx": 0}


def test_the_same_bytes_and_states() -> None:
    assert to_tflite(tiny_mlp()) == to_tflite(tiny_mlp())
    for make in STATEFUL:
        with pytest.raises(EdgeTernaryError, match="keeps states between steps"):
            to_tflite(make())


def test_a_threshold_that_is_one_off_is_seen() -> None:
    graph = drawn(1)
    act = next(op for op in graph.ops if isinstance(op, Threshold))
    fields = {name: getattr(act, name) for name in act.__struct_fields__}
    wrong = Threshold(**{**fields, "t": np.maximum(act.t - 1, graph.ins(act)[0].lo)})
    other = graph.with_ops([wrong if op is act else op for op in graph.ops])
    codes = named_inputs(graph, 200)
    assert not np.array_equal(run(graph, codes).outputs, run(other, codes).outputs)
    assert to_tflite(graph) != to_tflite(other)


@settings(max_examples=60)
@given(data=st.data())
def test_staircases(data: st.DataObject) -> None:
    """Thresholds of a line, rising or falling: a fit is right everywhere, and it is found."""
    levels = data.draw(st.integers(1, 15))
    gain = data.draw(st.floats(2, 500))
    offset = data.draw(st.floats(-1000, 1000))
    lo, hi = -2000, 2500
    t = np.clip(np.ceil(offset + gain * np.arange(levels)), lo, hi + 1).astype(np.int64)
    falling = data.draw(st.booleans())
    stairs = staircase(levels if falling else 0, -1 if falling else 1, t, levels, lo, hi)
    x = np.arange(lo, hi + 1)
    count = (x[:, None] >= t).sum(1)
    wanted = levels - count if falling else count
    np.testing.assert_array_equal((stairs.sign * x[:, None] >= stairs.t).sum(1), wanted)
    found = fit(stairs, 127)
    assert found is not None and right(stairs, found)
    v = found.factor * stairs.sign * x + found.offset
    np.testing.assert_array_equal(np.clip(np.floor(v * found.scale + 0.5), 0, levels), wanted)


def test_steps_that_no_line_has_are_refused() -> None:
    bent = staircase(0, 1, np.array([0, 1, 2, 500, 501, 502]), 6, -1000, 1000)
    assert fit(bent, 127) is None
