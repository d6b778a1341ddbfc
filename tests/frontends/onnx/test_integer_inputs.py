"""Files that take and give integers: the input holds the codes, a DequantizeLinear says what they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeternary.errors import EdgeTernaryError
from edgeternary.export.onnx import to_onnx
from edgeternary.frontends.files import read
from edgeternary.run import run
from edgeternary.run.compare import compare
from tests.registry.graphs import tiny_mlp

SCALE, ZERO = np.float32(0.02), 120


def save(path: Path, type: int, zero: np.generic) -> None:
    """A convolution between DequantizeLinear and QuantizeLinear, as converters write full-integer models."""
    rng = np.random.default_rng(0)
    scales = rng.uniform(0.001, 0.01, 4).astype(np.float32)
    numbers = {
        "sx": SCALE, "zx": zero, "w": rng.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8), "sw": scales,
        "zw": np.zeros(4, np.int8), "b": rng.integers(-500, 500, 4).astype(np.int32), "sb": SCALE * scales,
        "zb": np.zeros(4, np.int32), "sy": np.float32(0.05), "zy": zero,
    }  # fmt: skip
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "sx", "zx"], ["xf"]),
        helper.make_node("DequantizeLinear", ["w", "sw", "zw"], ["wf"], axis=0),
        helper.make_node("DequantizeLinear", ["b", "sb", "zb"], ["bf"], axis=0),
        helper.make_node("Conv", ["xf", "wf", "bf"], ["y"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["y"], ["r"]),
        helper.make_node("QuantizeLinear", ["r", "sy", "zy"], ["q"]),
    ]
    x = helper.make_tensor_value_info("x", type, [1, 3, 8, 8])
    q = helper.make_tensor_value_info("q", type, [1, 4, 8, 8])
    constants = [numpy_helper.from_array(np.asarray(a), name) for name, a in numbers.items()]
    graph = helper.make_graph(nodes, "net", [x], [q], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))


@pytest.mark.parametrize(
    ("type", "zero"), [(TensorProto.UINT8, np.uint8(ZERO)), (TensorProto.INT8, np.int8(-7))]
)
def test_integers_in_and_out(type: int, zero: np.generic, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", exc_type=ImportError)
    path = tmp_path / "net.onnx"
    save(path, type, zero)
    graph = read(path).graph
    assert graph.input.type.name == {TensorProto.UINT8: "uint8", TensorProto.INT8: "int8"}[type]
    assert (graph.meta.input_scale, graph.meta.input_zero) == (float(SCALE), int(zero))
    x = np.random.default_rng(1).integers(graph.input.lo, graph.input.hi + 1, (20, 8, 8, 3))
    (found,) = compare(graph, x, ["original"], options={"original": {"original": str(path)}})
    assert found.mismatches == 0
    assert len(np.unique(run(graph, x).outputs)) > 50


def test_our_own_integer_operators_are_named(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(to_onnx(tiny_mlp()))
    with pytest.raises(EdgeTernaryError, match="exported by edgeternary as integer operators") as caught:
        read(tmp_path / "net.onnx")
    assert "--to qonnx" in caught.value.remedy


def test_an_input_of_an_unknown_type(tmp_path: Path) -> None:
    """Found by the search with damaged files."""
    save(tmp_path / "net.onnx", TensorProto.UINT8, np.uint8(ZERO))
    model = onnx.load(str(tmp_path / "net.onnx"))
    model.graph.input[0].type.tensor_type.elem_type = 65
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(EdgeTernaryError, match=r"net\.onnx"):
        read(tmp_path / "net.onnx")
