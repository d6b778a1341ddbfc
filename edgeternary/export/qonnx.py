"""QONNX: float operators between quantisers, as Brevitas, FINN and hls4ml read it.

The model's input is float (N, C, H, W) or (N, C) and holds the integer codes of the graph's input. Its output
is float: the logits, (integer - logit_zero) * logit_scale + logit_offset. N is 1, as qonnx wants it.
"""

from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.export.onnx import IR_VERSION, OPSET, metadata, package, tensor_names
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier

FLOAT = 1  # TensorProto.FLOAT


def to_qonnx(graph: Graph) -> bytes:
    """The QONNX model of `graph`; the same graph always gives the same bytes.

    EdgeTernaryError (code 1) names a layer that has no exact form: states, tables that are read by several
    codes at once, and sums beyond 2^24, which float32 does not hold; code 3 without the
    package onnx.
    """
    onnx = package()
    from edgeternary.export._onnx_builder import Builder
    from edgeternary.export._qonnx_ops import DOMAIN, LOWER, quantised, refused

    helper = onnx.helper
    if graph.states:
        raise EdgeTernaryError(
            f"model {graph.name!r} cannot be written as QONNX",
            "it keeps states between steps, for which QONNX has no form",
            "export it as onnx, where states are inputs and outputs",
        )
    names, b = tensor_names(graph), Builder()

    def tensor(name: str, shape: tuple[int, ...]) -> Any:
        order = (shape[2], shape[0], shape[1]) if len(shape) == 3 else shape
        return helper.make_tensor_value_info(name, FLOAT, [1, *order])

    current: dict[str, str] = {}
    for x in graph.inputs:
        b.start(names.values[x.name])
        current[x.name] = quantised(b, names.values[x.name], x.type)
    for op in graph.ops:
        lower = LOWER.get(type(op))
        if lower is None:
            raise refused(op, f"QONNX has no operator for {op.kind}")
        if len(graph.values[op.name].shape) not in (1, 3):
            raise refused(op, "its output is neither a vector nor a map")
        b.start(names.values[op.name])
        current[op.name] = lower(b, op, graph.ins(op), *(current[name] for name in op.inputs))
    for name in graph.outputs:
        b.start(f"{names.values[name]}_out")
        b.finish(_logits(b, graph, name, current[name]), names.values[name], name)
    inputs = [tensor(names.values[x.name], x.shape) for x in graph.inputs]
    outputs = [tensor(names.values[name], graph.values[name].shape) for name in graph.outputs]
    body = helper.make_graph(b.nodes, identifier(graph.name), inputs, outputs, b.constants)
    model = helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)],
        ir_version=IR_VERSION,
        producer_name="edgeternary",
        doc_string=graph.name,
    )
    helper.set_model_props(model, metadata(graph))
    found: bytes = model.SerializeToString(deterministic=True)
    return found


def _logits(b: Any, graph: Graph, name: str, tensor: str) -> str:
    """The float logits of an output, by the operators that its metadata asks for."""
    meta, value = graph.meta.of_output(name), graph.values[name]

    def constant(numbers: Any) -> str:
        array = np.asarray(numbers, np.float32)
        return str(
            b.const(array.reshape(1, -1, *[1] * (len(value.shape) - 1)) if array.ndim else array, "float32")
        )

    if meta.logit_zero:
        tensor = b.add("Sub", tensor, constant(meta.logit_zero))
    if meta.logit_scale != 1:
        tensor = b.add("Mul", tensor, constant(meta.logit_scale))
    if meta.logit_offset != 0:
        tensor = b.add("Add", tensor, constant(meta.logit_offset))
    return str(tensor)
