"""Small ONNX files by hand, and their comparison with the engines that others wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeternary.frontends.files import read
from edgeternary.frontends.imported import Imported
from edgeternary.ops import build
from edgeternary.run import run

GENERAL = "qonnx.custom_op.general"
OPSETS = {"": 21, GENERAL: 2}
Array = np.ndarray


class Net:
    """Nodes one after the other; constants are arrays among the inputs of a node."""

    def __init__(self, *shape: int | str, opsets: dict[str, int] = OPSETS) -> None:
        self.shape, self.opsets = shape, opsets
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.top = "x"

    def add(self, type: str, *inputs: str | Array | float, domain: str = "", **more: Any) -> str:
        """A node on the top, or on inputs that name a tensor first; returns its result."""
        names = [self._name(value) for value in inputs]
        live = names if inputs and isinstance(inputs[0], str) else [self.top, *names]
        count = len(self.nodes)
        self.top = f"t{count}"
        node = helper.make_node(type, live, [self.top], name=f"{type}_{count}", domain=domain, **more)
        self.nodes.append(node)
        return self.top

    def quant(self, scale: Any, bits: int, *, zero: float = 0, signed: int = 1, **more: Any) -> str:
        more = {"narrow": 0, "rounding_mode": "ROUND", **more}
        numbers = np.float32(scale), np.float32(zero), np.float32(bits)
        return self.add("Quant", *map(np.asarray, numbers), domain=GENERAL, signed=signed, **more)

    def _name(self, value: str | Array | float) -> str:
        if isinstance(value, str):
            return value
        array = np.asarray(value, np.float32) if isinstance(value, float) else np.asarray(value)
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def proto(self, *outputs: str) -> Any:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        ends = [helper.make_empty_tensor_value_info(name) for name in outputs or (self.top,)]
        graph = helper.make_graph(self.nodes, "net", [x], ends, self.constants)
        imports = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        return helper.make_model(graph, opset_imports=imports, ir_version=10)

    def save(self, folder: Path, *outputs: str) -> Path:
        path = folder / "net.onnx"
        onnx.save(self.proto(*outputs), str(path))
        return path


def same(path: Path, *, samples: int = 24, on: Sequence[str] = ("qonnx",), **options: Any) -> Imported:
    """The file as a graph, after comparisons with the executors `on`, such as the file in its engine."""
    found = read(path, **options)
    graph = found.graph
    x = build.samples(np.random.default_rng(0), graph.input, samples)
    expected = graph.run(x).outputs
    for executor in on:
        answer = run(graph, x, on=executor, options={"original": str(path)})
        np.testing.assert_array_equal(answer.outputs, expected, executor)
    return found


def kinds(found: Imported) -> list[str]:
    return [op.kind for op in found.graph.ops]
