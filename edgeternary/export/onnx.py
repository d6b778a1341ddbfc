"""ONNX: standard operators on integers, so that any conforming runtime gives the same bits.

The model's input is (N, *shape) in the storage type of the graph's input (uint8 pixels, say), its output
int32 (N, *shape); N is free. A graph with states has each state as one more int32 input `<state>` and output
`<state>_next`: feed the initial content first (it is in the metadata), then what the step before gave.
"""

import json
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.toolchains import extras

OPSET = 17
IR_VERSION = 8


@dataclass(frozen=True)
class Names:
    """Tensor names in the ONNX model of each value of the graph, and of each state's next content."""

    values: dict[str, str]
    nexts: dict[str, str]


def tensor_names(graph: Graph) -> Names:
    """The identifiers that the values of `graph` have in its ONNX model."""
    taken: set[str] = set()

    def fresh(name: str) -> str:
        taken.add(found := identifier(name, taken))
        return found

    values = {name: fresh(name) for name in graph.values}
    return Names(values, {s.value.name: fresh(f"{values[s.value.name]}_next") for s in graph.states})


def to_onnx(graph: Graph, *, taps: bool = False) -> bytes:
    """The ONNX model (opset 17) of `graph`; the same graph always gives the same bytes.

    taps  every layer's value is an output, in the order of the layers
    Metadata: input_scale and input_zero (JSON: a number, or a list with one for each channel), logit_scale,
    labels (JSON), states (JSON: initial contents), and the graph's `info`. Of several inputs and outputs each
    has its own, such as input_scale.NAME. EdgeTernaryError with code 3 when the package onnx is missing.
    """
    onnx = package()
    from edgeternary.export._onnx_builder import INT32, Builder
    from edgeternary.export._onnx_ops import LOWER

    helper = onnx.helper
    names, builder = tensor_names(graph), Builder()

    def tensor(name: str, shape: tuple[int, ...], kind: int = INT32) -> Any:
        return helper.make_tensor_value_info(name, kind, ["N", *shape])

    dtype = helper.np_dtype_to_tensor_dtype
    inputs = [tensor(names.values[x.name], x.shape, dtype(x.type.dtype)) for x in graph.inputs]
    inputs += [tensor(names.values[s.value.name], s.value.shape) for s in graph.states]
    current = dict(names.values)
    for x in graph.inputs:
        builder.start(names.values[x.name])
        current[x.name] = builder.cast(names.values[x.name], INT32)
    for op in graph.ops:
        builder.start(names.values[op.name])
        if type(op) not in LOWER:
            raise op.fail(
                f"standard ONNX has no exact form of {op.kind!r}",
                "export the model without its front end, which reads features in place of samples",
                f"layer {op.name!r} cannot be written as ONNX",
            )
        out = LOWER[type(op)](builder, op, graph.ins(op), *(current[name] for name in op.inputs))
        builder.finish(out, names.values[op.name], op.name)
    shown = [op.name for op in graph.ops] if taps else list(graph.outputs)
    outputs = [tensor(names.values[name], graph.values[name].shape) for name in shown]
    for state in graph.states:
        builder.finish(current[state.next], names.nexts[state.value.name], state.value.name)
        outputs.append(tensor(names.nexts[state.value.name], state.value.shape))
    body = helper.make_graph(builder.nodes, identifier(graph.name), inputs, outputs, builder.constants)
    model = helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="edgeternary",
        doc_string=graph.name,
    )
    helper.set_model_props(model, metadata(graph))
    onnx.checker.check_model(model, full_check=True)
    found: bytes = model.SerializeToString(deterministic=True)
    return found


def metadata(graph: Graph) -> dict[str, str]:
    """What the integers of `graph` mean, as the properties of an ONNX model."""
    meta = graph.meta
    props = dict[str, str]()
    for x in graph.inputs:
        end = "" if len(graph.inputs) == 1 else f".{x.name}"
        props[f"input_scale{end}"] = json.dumps(meta.of_input(x.name).scale)
        props[f"input_zero{end}"] = json.dumps(meta.of_input(x.name).zero)
    for name in graph.outputs:
        end = "" if len(graph.outputs) == 1 else f".{name}"
        of = meta.of_output(name)
        props[f"logit_scale{end}"] = json.dumps(of.logit_scale)
        if of.logit_zero or of.logit_offset != 0:
            props[f"logit_zero{end}"] = json.dumps(of.logit_zero)
            props[f"logit_offset{end}"] = json.dumps(of.logit_offset)
        props[f"labels{end}"] = json.dumps(of.labels)
    if graph.states:
        props["states"] = json.dumps({s.value.name: s.init.tolist() for s in graph.states})
    return props | {f"info.{key}": meta.info[key] for key in sorted(meta.info)}


@cache
def package() -> ModuleType:
    """The Python package onnx; EdgeTernaryError (code 3) where it is missing."""
    with extras.named():
        import onnx
        import onnx.checker
        import onnx.helper
    found: ModuleType = onnx
    return found
