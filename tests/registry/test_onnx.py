"""ONNX Runtime, somebody else's implementation, judges numpy: every op, every value, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeternary.errors import TOOL_MISSING, USAGE, EdgeTernaryError
from edgeternary.export.onnx import tensor_names, to_onnx
from edgeternary.ir import REGISTRY, Graph, Meta
from edgeternary.ops import Conv2d, Dense, Requantize, build
from edgeternary.ops.requantize import ROUNDINGS
from edgeternary.run import run
from tests.registry import graphs
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, leaky, tiny_mlp
from tests.registry.regressions import REGRESSIONS

onnx = pytest.importorskip("onnx", exc_type=ImportError)
pytest.importorskip("onnxruntime", exc_type=ImportError)


REFUSED = {"log_mel"}


def kinds() -> list[str]:
    return [kind for kind in graphs.kinds() if kind not in REFUSED]


def judge(graph: Graph, samples: int = 24, seed: int = 0) -> None:
    """Every value of every layer, not only the output."""
    codes = inputs(graph, samples, seed)
    ours, theirs = run(graph, codes, taps=True), run(graph, codes, on="onnxruntime", taps=True)
    for op in graph.ops:
        np.testing.assert_array_equal(theirs.taps[op.name], ours.taps[op.name], err_msg=op.name)
    np.testing.assert_array_equal(theirs.outputs, ours.outputs)
    assert theirs.outputs.dtype == np.int32


@pytest.mark.parametrize("kind", kinds())
def test_every_example(kind: str) -> None:
    for seed in range(3):
        for graph in chosen(kind, seed):
            judge(graph, seed=seed)


@pytest.mark.parametrize("make", WHOLE + STATEFUL + REGRESSIONS)
def test_whole_models(make: Callable[[], Graph]) -> None:
    judge(make(), 100)


@settings(max_examples=150)
@given(data=st.data())
def test_requantize_at_its_limits(data: st.DataObject) -> None:
    """Shifts to 62, 32-bit multipliers, ties and both ends of the interval."""
    rounding = data.draw(st.sampled_from(ROUNDINGS))
    double = rounding == "tflite_double"
    lo, hi = sorted(data.draw(st.tuples(*2 * [st.integers(-(2**31), 2**31 - 1)])))
    s = data.draw(st.integers(31 if double else 0, 62))
    m = data.draw(
        st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 3) | st.sampled_from([1 << k for k in range(31)])
    )
    b = 0 if double else data.draw(st.integers(-(2**31), 2**31 - 1) | st.just(0))
    if double:
        lo = max(lo, -(2**31) + 1)
    x = build.value("x", (1,), "int32", min(lo, hi), hi)
    fields = {field: np.array([n], np.int32) for field, n in (("m", m), ("b", b), ("s", s))}
    op = Requantize(
        name="y", inputs=("x",), **fields, zero=data.draw(st.integers(-9, 9)), lo=-(2**15), hi=2**15 - 1,
        rounding=rounding, type="int16",
    )  # fmt: skip
    graph = build.graph(x, op)
    ties = [k * (1 << s >> 1) // m - b + d for k in range(-5, 6) for d in (-1, 0, 1)] if m else []
    codes = np.array([n for n in (*ties, x.lo, x.hi, 0, -1, 1) if x.lo <= n <= x.hi], np.int64)[:, None]
    np.testing.assert_array_equal(run(graph, codes, on="onnxruntime").outputs, run(graph, codes).outputs)
    right = [_rounded(int(n), m, b, s, rounding) + op.zero for n in codes[:, 0]]
    np.testing.assert_array_equal(run(graph, codes).outputs[:, 0], np.clip(right, op.lo, op.hi))


def _rounded(x: int, m: int, b: int, s: int, rounding: str) -> int:
    """The same with Python's unbounded integers, as docs/integer-graph.md puts it."""
    v = x * m + b
    if rounding == "floor" or (s == 0 and rounding != "tflite_double"):
        return v >> s
    if rounding != "tflite_double":
        return (v + (1 << (s - 1))) >> s
    nudged = v + ((1 << 30) if v >= 0 else 1 - (1 << 30))
    high = abs(nudged) // 2**31 * (1 if nudged >= 0 else -1)
    if s == 31:
        return high
    return (abs(high) + (1 << (s - 32))) // (1 << (s - 31)) * (1 if high >= 0 else -1)


def test_wide_weights_and_codes_leave_the_saturating_8_bit_operators() -> None:
    """uint8 255 * int8 127, twice, is beyond int16: MatMulInteger may saturate where there is no VNNI."""
    x = build.value("x", (8,), "uint8")
    op = Dense(
        name="y", inputs=("x",), weights=np.full((2, 8), 127, np.int8), weight_type="int8",
        bias=np.zeros(2, np.int32),
    )  # fmt: skip
    graph = build.graph(x, op)
    used = {node.op_type for node in onnx.load_from_string(to_onnx(graph)).graph.node}
    assert "MatMul" in used and "MatMulInteger" not in used
    judge(graph)


def test_a_pad_value_outside_the_interval_of_the_codes() -> None:
    x = build.value("x", (3, 3, 2), "int16", 0, 200)
    op = Conv2d(
        name="y", inputs=("x",), weights=build.codes(np.random.default_rng(0), (3, 3, 3, 2), "ternary"),
        weight_type="ternary", bias=np.zeros(3, np.int32), pad=(1, 1, 1, 1), pad_value=-7,
    )  # fmt: skip
    judge(build.graph(x, op))


def test_models_are_integers_through_and_through() -> None:
    floats = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16}
    for graph in (graph for kind in kinds() for graph in chosen(kind)):
        model = onnx.shape_inference.infer_shapes(onnx.load_from_string(to_onnx(graph)))
        onnx.checker.check_model(model, full_check=True)
        types = {value.type.tensor_type.elem_type for value in model.graph.value_info}
        types |= {constant.data_type for constant in model.graph.initializer}
        assert not types & floats
        assert {node.domain for node in model.graph.node} == {""}


def test_the_batch_is_free_and_the_input_is_raw_codes() -> None:
    model = onnx.load_from_string(to_onnx(tiny_mlp()))
    (x,) = model.graph.input
    assert x.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == ["N", 12]
    (y,) = model.graph.output
    assert y.type.tensor_type.elem_type == onnx.TensorProto.INT32


def test_metadata() -> None:
    meta = {p.key: p.value for p in onnx.load_from_string(to_onnx(tiny_mlp())).metadata_props}
    assert json.loads(meta["labels"]) == ["a", "b", "c", "d"]
    assert (float(meta["logit_scale"]), float(meta["input_scale"])) == (0.125, 1 / 255)
    assert meta["info.data"] == "none"
    channels = tuple(k / 8 for k in range(1, 13))
    scaled = replace(tiny_mlp(), meta=Meta(input_scale=channels, input_zero=3))
    meta = {p.key: p.value for p in onnx.load_from_string(to_onnx(scaled)).metadata_props}
    assert (tuple(json.loads(meta["input_scale"])), json.loads(meta["input_zero"])) == (channels, 3)
    states = {p.key: p.value for p in onnx.load_from_string(to_onnx(leaky())).metadata_props}["states"]
    assert json.loads(states) == {"v": [0, 5, -7, 39]}


def test_states_are_inputs_and_outputs() -> None:
    model = onnx.load_from_string(to_onnx(leaky()))
    assert [value.name for value in model.graph.input] == ["events", "v"]
    assert [value.name for value in model.graph.output] == ["spike", "v_next_2"]


@pytest.mark.parametrize("kind", kinds())
def test_the_same_graph_gives_the_same_bytes(kind: str) -> None:
    for first, second in zip(chosen(kind), chosen(kind), strict=True):
        assert to_onnx(first) == to_onnx(second)


def test_odd_names_become_identifiers_and_survive_as_text() -> None:
    odd = 'a"; drop */ 名'
    graph = tiny_mlp()
    last = msgspec.structs.replace(graph.ops[-1], name=odd)
    changed = Graph("odd name", graph.input, (*graph.ops[:-1], last), odd, meta=Meta(labels=("\n",)))
    judge(changed)
    assert tensor_names(changed).values[odd] == "a_drop"
    nodes = onnx.load_from_string(to_onnx(changed)).graph.node
    assert odd in {node.doc_string for node in nodes}


@pytest.mark.parametrize(("package", "call"), [("onnx", "to_onnx"), ("onnxruntime", "run")])
def test_a_missing_package_is_named_with_its_install_command(
    package: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeternary.export import onnx as export

    export.package.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(
        EdgeTernaryError, match=f"{package} is missing.*pip install 'edgeternary.onnx.'"
    ) as caught:
        run(tiny_mlp(), np.zeros((1, 12)), on="onnxruntime")
    assert caught.value.code == TOOL_MISSING
    export.package.cache_clear()


def test_there_are_no_targets() -> None:
    with pytest.raises(EdgeTernaryError, match="no target") as caught:
        run(tiny_mlp(), np.zeros((1, 12)), on="onnxruntime:gpu")
    assert caught.value.code == USAGE


def test_no_samples_and_no_steps() -> None:
    assert run(tiny_mlp(), np.zeros((0, 12)), on="onnxruntime").outputs.shape == (0, 4)
    assert run(leaky(), np.zeros((0, 3, 9)), on="onnxruntime").outputs.shape == (0, 3, 4)
    assert run(leaky(), np.zeros((2, 0, 9)), on="onnxruntime").outputs.shape == (2, 0, 4)


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    options = {"progress": lambda done, total: seen.append((done, total))}
    run(tiny_mlp(), inputs(tiny_mlp(), 130), on="onnxruntime", options=options)
    assert seen == [(64, 130), (128, 130), (130, 130)]


def test_every_registered_op_has_a_translation() -> None:
    from edgeternary.export._onnx_ops import LOWER

    assert {cls.kind for cls in LOWER} == set(REGISTRY) - REFUSED


@pytest.mark.parametrize("kind", REFUSED)
def test_the_refused_are_refused_by_name(kind: str) -> None:
    with pytest.raises(EdgeTernaryError, match="layer 'y' cannot be written as ONNX"):
        to_onnx(chosen(kind)[0])
