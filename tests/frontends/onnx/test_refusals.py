"""Files that are no sound or no exact model: one error that names every node, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.files import read
from tests.frontends.onnx.files import GENERAL, OPSETS, Net, same

F = np.float32
ONES = np.ones((3, 2, 1, 1), F)


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(EdgeTernaryError) as caught:
        read(path, **options)
    assert caught.value.code == 1
    return str(caught.value)


def floats(net: Net) -> None:
    net.add("Conv", ONES)


def half_floats(net: Net) -> None:
    net.quant(0.5, 8)
    net.add("Conv", ONES)
    net.add("Conv", np.ones((3, 3, 1, 1), F) * F(0.3))
    net.add("Mul", np.array([0.1, 0.3, 0.7], F).reshape(1, 3, 1, 1))
    net.add("Conv", np.ones((1, 3, 1, 1), F))


def two(net: Net) -> None:
    net.quant(0.5, 8)
    net.add("Gelu")
    net.nodes[-1].name = "first"
    first = net.add("Identity", "t0")
    net.add("LSTM", first, np.ones((1, 4, 4), F), np.ones((1, 4, 4), F), hidden_size=1)
    net.nodes[-1].name = "second"
    net.add("Add", "t1", net.top)


def scales(net: Net) -> None:
    first = net.quant(0.5, 8)
    left, right = net.quant(0.3, 4), net.add("Identity", first)
    net.add("Add", left, right)


def gelu(domain: str) -> Callable[[Net], None]:
    def build(net: Net) -> None:
        net.opsets = {**OPSETS, domain: 1}
        net.quant(0.5, 8)
        net.add("Own", domain=domain)

    return build


def wide(net: Net) -> None:
    net.quant(0.5, 8)
    net.add("Conv", ONES * F(1))
    net.quant(1e-9, 24)


def dynamic(net: Net) -> None:
    net.quant(0.5, 8)
    net.add("QuantizeLinear", net.top, net.add("ReduceMax", keepdims=0))


def reshaped(net: Net) -> None:
    net.quant(0.5, 8)
    net.add("Reshape", np.array([-1]))


CASES: dict[str, tuple[Callable[[Net], None], list[str]]] = {
    "floats": (floats, ["Conv_0", "before any quantiser", "QuantIdentity", "--input-type"]),
    "half": (half_floats, ["Conv_4", "common measure"]),
    "two": (two, ["2 operators", "first", "Gelu", "second", "LSTM", "edgeternary.nn"]),
    "scales": (scales, ["Add_", "and 0.5", "one quantiser"]),
    "domain": (gelu("com.someone"), ["Own_1", "com.someone"]),
    "wide": (wide, ["Quant_2", "24 bits", "at most 16"]),
    "dynamic": (dynamic, ["ReduceMax_1", "not read"]),
    "reshape": (reshaped, ["Reshape_1", "first axis"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_node_is_named(name: str, tmp_path: Path) -> None:
    build, wanted = CASES[name]
    net = Net(1, 2, 4, 4)
    build(net)
    said = refused(net.save(tmp_path))
    for text in wanted:
        assert text in said, said


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((1, 2, "height", 4), "fixed"),
        ((7, 2, 4, 4), "one at a time"),
        ((1, 2**20, 2**20), "elements"),
        ((4,), "features"),
    ],
)
def test_shapes(shape: tuple[int | str, ...], text: str, tmp_path: Path) -> None:
    net = Net(*shape)
    net.quant(0.5, 8)
    assert text in refused(net.save(tmp_path))


def test_absurd_constants_are_not_made(tmp_path: Path) -> None:
    net = Net(1, 2, 4, 4)
    net.quant(0.5, 8)
    net.add("ConstantOfShape", net._name(np.array([2**30, 2**30])))
    net.add("Add", "t0", net.top)
    assert "at most 67,108,864" in refused(net.save(tmp_path))
    net = Net(1, 2, 4, 4)
    net.quant(0.5, 8)
    net.add("Add", np.ones(4, F))
    model = net.proto()
    model.graph.initializer[-1].dims[:] = [2**20, 2**20]
    onnx.save(model, str(tmp_path / "huge.onnx"))
    assert "elements" in refused(tmp_path / "huge.onnx")


def test_cycles_and_unknown_tensors(tmp_path: Path) -> None:
    for names, text in [(("b", "a"), "cycle"), (("none", "a"), "nothing makes it"), (("x", "x"), "twice")]:
        nodes = [
            helper.make_node("Relu", [names[0]], ["a"], "one"),
            helper.make_node("Relu", [names[1]], ["b"], "two"),
        ]
        if text == "twice":
            nodes[1].output[0] = "a"
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4))
        graph = helper.make_graph(nodes, "g", [x], [helper.make_empty_tensor_value_info("a")])
        path = tmp_path / "net.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(path))
        assert text in refused(path)


@pytest.mark.parametrize("location", ["../secret", "/etc/hostname", "missing.bin", ""])
def test_external_data_stays_in_the_folder(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(100))
    net = Net(1, 2, 4, 4)
    net.quant(0.5, 8)
    net.add("Conv", ONES)
    model = net.proto()
    tensor = model.graph.initializer[-1]
    external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    said = refused(folder / "net.onnx")
    assert "folder" in said or "no such file" in said


def test_external_data_beside_the_model_is_read(tmp_path: Path) -> None:
    net = Net(1, 2, 4, 4)
    net.quant(0.5, 8)
    net.add("Conv", ONES)
    onnx.save(
        net.proto(),
        str(tmp_path / "net.onnx"),
        save_as_external_data=True,
        location="w.bin",
        size_threshold=0,
    )
    assert (tmp_path / "w.bin").stat().st_size
    same(tmp_path / "net.onnx")


def test_opsets(tmp_path: Path) -> None:
    net = Net(1, 2, 4, 4, opsets={"": 99, GENERAL: 2})
    net.quant(0.5, 8)
    assert "opset 99" in refused(net.save(tmp_path))


def test_pixels_without_a_quantiser(tmp_path: Path) -> None:
    net = Net(1, 1, 3, 3)
    net.add("Mul", 2.0)
    net.add("Sub", 1.0)
    net.add("BipolarQuant", 1.0, domain=GENERAL)
    net.add("Flatten")
    net.add("MatMul", np.sign(np.arange(18, dtype=F).reshape(9, 2) - F(8.5)))
    path = net.save(tmp_path)
    assert "before any quantiser" in refused(path)
    found = same(path, input_type="uint8", input_scale=1 / 255)
    assert found.graph.input.type.name == "uint8"


def test_cuts(tmp_path: Path) -> None:
    net = Net(1, 2, 4, 4)
    net.quant(0.5, 8)
    net.add("Conv", ONES)
    net.quant(0.5, 4)
    net.add("Conv", np.ones((2, 3, 1, 1), F))
    net.add("Gelu")
    path = net.save(tmp_path)
    assert same(path, outputs=["Conv_3"]).graph.ops[-1].name == "Conv_3"
    assert [op.kind for op in same(path, inputs=["Conv_1"], outputs=["Conv_3"]).graph.ops] == ["conv2d"]
    assert "did you mean Conv_3" in refused(path, outputs=["Conv_33"])
