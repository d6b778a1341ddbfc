"""Small .tflite files, built here: graphs answer as LiteRT's reference kernels, refusals name operators."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("tflite")
pytest.importorskip("ai_edge_litert")

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.imported import Cut
from edgeternary.frontends.tflite import read
from edgeternary.ir import Graph, IntArray
from edgeternary.ops import Requantize
from edgeternary.run import run
from tests.frontends.tflite_files.drawn import network
from tests.frontends.tflite_files.writer import Writer

SAMPLES = 40


def imported(tmp_path: Path, content: bytes, cut: Cut = Cut()) -> tuple[Graph, Path]:  # noqa: B008
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    return read(path, name="m", cut=cut).graph, path


def codes(graph: Graph, seed: int = 0) -> IntArray:
    """All lo, all hi, near zero, any."""
    rng, x = np.random.default_rng(seed), graph.input
    data = rng.integers(x.lo, x.hi + 1, (SAMPLES, *x.shape)).astype(np.int32)
    data[0], data[1] = x.lo, x.hi
    data[2:20] = rng.integers(-20, 20, (18, *x.shape))
    return data


def judged(graph: Graph, path: Path, data: IntArray) -> IntArray:
    outputs: IntArray = run(graph, data, on="tflite", options={"original": path}).outputs
    return outputs


@pytest.mark.parametrize("seed", range(40))
def test_drawn_networks(tmp_path: Path, seed: int) -> None:
    graph, path = imported(tmp_path, network(seed))
    data = codes(graph, seed)
    np.testing.assert_array_equal(run(graph, data).outputs, judged(graph, path, data))


@pytest.mark.parametrize("seed", [0, 1, 8, 25])
def test_drawn_networks_in_c(tmp_path: Path, seed: int) -> None:
    graph, path = imported(tmp_path, network(seed))
    data = codes(graph, seed)
    np.testing.assert_array_equal(run(graph, data, on="host").outputs, judged(graph, path, data))


def two_layers() -> bytes:
    """CONV_2D with scales of its own for each output, then FULLY_CONNECTED; scales that make many ties."""
    rng, w = np.random.default_rng(5), Writer()
    x = w.tensor((1, 6, 6, 3), "INT8", 0.25, 3)
    kernel = w.constant(rng.integers(-127, 128, (4, 3, 3, 3)), "INT8", [0.5, 0.25, 0.3, 0.01], axis=0)
    bias = w.constant(rng.integers(-900, 900, 4), "INT32", 0.125)
    y = w.tensor((1, 6, 6, 4), "INT8", 4.0, -7)
    w.operator("CONV_2D", [x, kernel, bias], y, StrideH=1, StrideW=1, Padding="SAME")
    matrix = w.constant(rng.integers(-127, 128, (5, 144)), "INT8", 0.125)
    z = w.tensor((1, 5), "INT8", 64.0, 10)
    w.operator("FULLY_CONNECTED", [y, matrix, -1], z)
    return w.file([x], [z])


@pytest.mark.parametrize("layer", [0, 1])
def test_one_multiplier_off_by_one_is_noticed(tmp_path: Path, layer: int) -> None:
    """Over the whole interval of the accumulator some code changes: the multiplier is not arbitrary."""
    graph, _ = imported(tmp_path, two_layers())
    rescaled = [op for op in graph.ops if isinstance(op, Requantize)]
    op = rescaled[layer]
    wrong = msgspec.structs.replace(op, m=op.m - (np.arange(len(op.m)) == 0).astype(np.int32))
    x = graph.values[op.inputs[0]]
    acc = np.arange(x.lo, x.hi + 1, dtype=np.int32)[:, None] + np.zeros(x.channels, np.int32)
    differ = (op.ref(acc) != wrong.ref(acc)).any(axis=1)
    assert differ.any(), "an off-by-one multiplier changes no code of the interval"


def test_a_wrong_multiplier_is_a_mismatch(tmp_path: Path) -> None:
    graph, path = imported(tmp_path, two_layers())
    op = next(op for op in reversed(graph.ops) if isinstance(op, Requantize))
    wrong = msgspec.structs.replace(op, m=op.m + op.m // 512)
    faulty = graph.with_ops([wrong if other is op else other for other in graph.ops])
    data = codes(graph)
    want = judged(graph, path, data)
    np.testing.assert_array_equal(run(graph, data).outputs, want)
    assert (run(faulty, data).outputs != want).any()


def test_cut(tmp_path: Path) -> None:
    graph, path = imported(tmp_path, two_layers(), Cut(outputs=("t3",)))
    assert graph.output_value.shape == (6, 6, 4)
    data = codes(graph)
    np.testing.assert_array_equal(run(graph, data).outputs, judged(graph, path, data))
    rest, _ = imported(tmp_path, two_layers(), Cut(inputs=("t3",)))
    whole, _ = imported(tmp_path, two_layers())
    middle = run(graph, data).outputs.reshape(SAMPLES, 6, 6, 4)
    np.testing.assert_array_equal(run(rest, middle).outputs, run(whole, data).outputs)


def test_cut_at_no_tensor_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="did you mean t3"):
        imported(tmp_path, two_layers(), Cut(outputs=("t33",)))


def test_floats_at_both_ends_are_left_off(tmp_path: Path) -> None:
    w = Writer()
    x = w.tensor((1, 7), "FLOAT32")
    q = w.tensor((1, 7), "INT8", 0.1, 5)
    w.operator("QUANTIZE", [x], q)
    y = w.tensor((1, 7), "INT8", 1 / 256, -128)
    w.operator("LOGISTIC", [q], y)
    z = w.tensor((1, 7), "FLOAT32")
    w.operator("DEQUANTIZE", [y], z)
    path = tmp_path / "m.tflite"
    path.write_bytes(w.file([x], [z]))
    made = read(path, name="m")
    assert [note.split(":")[0] for note in made.notes] == [f"t{z}", f"t{q}"]
    assert [row.became for row in made.rows] == ["", "op1_logistic", ""]
    data = codes(made.graph)
    np.testing.assert_array_equal(run(made.graph, data).outputs, judged(made.graph, path, data))


def test_codes_of_uint8_at_both_ends_are_left_off(tmp_path: Path) -> None:
    w = Writer()
    x = w.tensor((1, 7), "UINT8", 0.1, 133)
    q = w.tensor((1, 7), "INT8", 0.1, 5)
    w.operator("QUANTIZE", [x], q)
    y = w.tensor((1, 7), "INT8", 0.07, -3)
    w.operator("LEAKY_RELU", [q], y, Alpha=0.3)
    z = w.tensor((1, 7), "UINT8", 0.07, 125)
    w.operator("QUANTIZE", [y], z)
    graph, path = imported(tmp_path, w.file([x], [z]))
    assert [op.kind for op in graph.ops] == ["lookup"] and graph.meta.input_zero == 5
    data = codes(graph)
    np.testing.assert_array_equal(run(graph, data).outputs, judged(graph, path, data))


def refused(tmp_path: Path, w: Writer, inputs: list[int], outputs: list[int]) -> str:
    with pytest.raises(EdgeTernaryError) as caught:
        imported(tmp_path, w.file(inputs, outputs))
    assert caught.value.code == 1
    return str(caught.value)


def test_every_refusal_is_in_one_report(tmp_path: Path) -> None:
    w = Writer()
    x = w.tensor((1, 4, 4, 2), "INT8", 0.1, 0)
    a, b = (w.tensor((1, 4, 4, 2), "INT8", 0.1, 0) for _ in range(2))
    w.operator("TRANSPOSE", [x, w.constant([0, 2, 1, 3])], a)
    w.operator("FLOOR", [x], b)
    y = w.tensor((1, 4, 4, 2), "INT8", 0.1, 0)
    w.operator("ADD", [a, b], y)
    said = refused(tmp_path, w, [x], [y])
    assert f"t{a}: TRANSPOSE" in said and f"t{b}: FLOOR" in said and "2 operators" in said
    assert "there is of ABS, ADD" in said and f"t{y}" not in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": "FLOAT32"}, "FLOAT32"),
        ({"scales": np.zeros(0, np.float32), "zeros": np.zeros(0, np.int64)}, "no scale"),
        ({"shape": (2, 4)}, "one sample at a time"),
    ],
)
def test_refused_inputs(tmp_path: Path, change: dict[str, object], why: str) -> None:
    w = Writer()
    x = w.tensor((1, 4), "INT8", 0.1, 0)
    y = w.tensor((1, 4), "INT8", 0.1, 0)
    w.operator("RELU", [x], y)
    w.tensors[x] |= change
    assert why in refused(tmp_path, w, [x], [y])


def test_a_float_model_is_called_so(tmp_path: Path) -> None:
    w = Writer()
    x, y = (w.tensor((1, 4), "FLOAT32") for _ in range(2))
    w.operator("RELU", [x], y)
    said = refused(tmp_path, w, [x], [y])
    assert "m.tflite is a float model" in said and "representative dataset" in said


def test_scales_that_concatenation_cannot_join(tmp_path: Path) -> None:
    w = Writer()
    x = w.tensor((1, 4), "INT8", 0.1, 0)
    y = w.tensor((1, 4), "INT8", 0.2, 0)
    w.operator("RELU", [x], y)
    z = w.tensor((1, 8), "INT8", 0.1, 0)
    w.operator("CONCATENATION", [x, y], z, Axis=1)
    assert "put a QUANTIZE before it" in refused(tmp_path, w, [x], [z])


def test_the_judge_needs_the_file(tmp_path: Path) -> None:
    graph, _ = imported(tmp_path, two_layers())
    with pytest.raises(EdgeTernaryError, match="original"):
        run(graph, codes(graph), on="tflite")
    bare = dataclasses.replace(graph, meta=msgspec.structs.replace(graph.meta, info={}))
    with pytest.raises(EdgeTernaryError, match="was not imported"):
        run(bare, codes(graph), on="tflite", options={"original": tmp_path / "m.tflite"})
