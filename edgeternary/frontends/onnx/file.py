"""An ONNX file as a list of operators and constants. It is untrusted: what it says is checked first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.onnx.values import Const, Node
from edgeternary.ir.value import MAX_ELEMENTS
from edgeternary.toolchains import extras

STANDARD = ("", "ai.onnx")
QONNX = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
OPSETS = range(7, 27)  # of the standard operators
MOST_NODES = 20_000
MOST_BYTES = 1 << 31


@dataclass(frozen=True)
class File:
    """nodes in topological order; inputs {name: dimensions, None where not fixed}.

    codes  {name: type} of the inputs that are tensors of integers
    """

    nodes: list[Node]
    constants: dict[str, Const]
    inputs: dict[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]
    codes: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> File:
    """Read the file; EdgeTernaryError (code 1) for an unsound model, (code 3) without the package onnx."""
    with extras.named():
        import onnx
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise EdgeTernaryError(f"{path} has {size:,} bytes", "an ONNX file has at most 2 GiB")
        model = onnx.load(str(path), load_external_data=False)
        if len(model.functions):
            from onnx.inliner import inline_local_functions

            model = inline_local_functions(model)
    except EdgeTernaryError:
        raise
    except Exception as error:  # protobuf and the operating system raise what they like
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise EdgeTernaryError(
            f"{path} cannot be read as ONNX", said, "export the model again, and check that the file is whole"
        ) from error
    return _file(model, path)


def _file(model: Any, path: Path) -> File:
    graph = model.graph
    if not graph.node or len(graph.node) > MOST_NODES:
        raise EdgeTernaryError(f"{path} has {len(graph.node):,} operators", f"1 to {MOST_NODES:,} are read")
    if graph.sparse_initializer:
        raise EdgeTernaryError(
            f"{path} has sparse constants", "only dense ones are read", "export it without them"
        )
    versions = {imported.domain: imported.version for imported in model.opset_import}
    standard = versions.get("", versions.get("ai.onnx", 0))
    if standard and standard not in OPSETS:
        raise EdgeTernaryError(
            f"{path} is of opset {standard}",
            f"the opsets {OPSETS[0]} to {OPSETS[-1]} are read",
            "export it with opset_version=18",
        )
    if model.producer_name == "edgeternary" and not versions.keys() & set(QONNX):
        raise EdgeTernaryError(
            f"{path.name} was exported by edgeternary as integer operators, which are not read back",
            "it is a graph already",
            "use its .et file, or export it with --to qonnx",
        )
    constants = {t.name: Const(array(t, path)) for t in graph.initializer}
    inputs = {i.name: _dimensions(i, path) for i in graph.input if i.name not in constants}
    nodes = [_node(n, versions, path) for n in graph.node]
    known = {*constants, *inputs}
    codes = {i.name: _integers(i) for i in graph.input if i.name in inputs and _integers(i)}
    return File(_sorted(nodes, known, path), constants, inputs, tuple(o.name for o in graph.output), codes)


def _integers(info: Any) -> str:
    """The type of a tensor of few-bit integers, "" for floats and others."""
    from onnx import TensorProto

    names = {number: name.lower() for name, number in TensorProto.DataType.items()}
    name = names.get(info.type.tensor_type.elem_type, "")
    return name if re.fullmatch(r"u?int(2|4|8|16)", name) else ""


def array(tensor: Any, path: Path) -> np.ndarray:
    """The content of a TensorProto; its size is checked before it is made."""
    from onnx import external_data_helper, numpy_helper

    name = f"constant {tensor.name[:80]!r} of {path.name}"
    dims = tuple(tensor.dims)
    if any(d < 0 for d in dims) or len(dims) > 8 or math.prod(dims) > MAX_ELEMENTS:
        raise EdgeTernaryError(
            f"{name} has the shape {dims[:8]}", f"a constant has at most {MAX_ELEMENTS:,} elements"
        )
    if external_data_helper.uses_external_data(tensor):
        _check_external(tensor, path, name)
    try:
        if external_data_helper.uses_external_data(tensor):
            external_data_helper.load_external_data_for_tensor(tensor, str(path.parent))
        found = numpy_helper.to_array(tensor)
    except Exception as error:  # the package raises ValueError, TypeError and more
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise EdgeTernaryError(f"{name} cannot be read", said, "export the model again") from error
    if found.shape != dims or found.dtype.kind in "OSU":
        raise EdgeTernaryError(f"{name} is {found.dtype} of shape {found.shape}", "numbers are read")
    return found


def _check_external(tensor: Any, path: Path, name: str) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.parent.resolve()
    target = (folder / location).resolve()
    if not location or not target.is_relative_to(folder):
        raise EdgeTernaryError(
            f"{name} is said to be in {location[:120]!r}",
            "that is outside the folder of the model",
            "put the file of constants beside the model, and save the model again",
        )
    if not target.is_file():
        raise EdgeTernaryError(
            f"{name} is said to be in {location[:120]!r}", "there is no such file", "copy it beside the model"
        )
    try:
        start, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        start, length = -1, 0
    if start < 0 or length < 0 or start + length > target.stat().st_size:
        raise EdgeTernaryError(
            f"{name} lies beyond the end of {location[:120]!r}", "", "save the model again"
        )


def _dimensions(info: Any, path: Path) -> tuple[int | None, ...]:
    kind = info.type.WhichOneof("value")
    if kind != "tensor_type" or not info.type.tensor_type.HasField("shape"):
        raise EdgeTernaryError(
            f"input {info.name[:80]!r} of {path.name} has no shape",
            "the sizes of a graph are fixed",
            "export the model with an example input",
        )
    dims = info.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims)


def _node(node: Any, versions: dict[str, int], path: Path) -> Node:
    from onnx import AttributeProto, helper

    outputs = tuple(node.output)
    name = node.name or next(filter(None, outputs), "")
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type in (AttributeProto.TENSOR, AttributeProto.SPARSE_TENSOR):
            if attribute.type == AttributeProto.SPARSE_TENSOR:
                raise EdgeTernaryError(f"node {name[:80]!r} of {path.name} has a sparse constant")
            attributes[attribute.name] = array(attribute.t, path)
        elif attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
            attributes[attribute.name] = None
        else:
            try:
                attributes[attribute.name] = helper.get_attribute_value(attribute)
            except ValueError as error:
                raise EdgeTernaryError(
                    f"node {name[:80]!r} of {path.name} has a bad attribute", str(error)[:100]
                ) from error
    domain = "" if node.domain in STANDARD else node.domain
    inputs = tuple(node.input)
    return Node(
        name or node.op_type, node.op_type, domain, inputs, outputs, attributes, versions.get(domain, 0)
    )


def _sorted(nodes: list[Node], known: set[str], path: Path) -> list[Node]:
    """Nodes so that each comes after what it reads; EdgeTernaryError for cycles and names made twice."""
    makers: dict[str, Node] = {}
    for node in nodes:
        for output in filter(None, node.outputs):
            if output in makers or output in known:
                raise EdgeTernaryError(
                    f"tensor {output[:80]!r} of {path.name} is made twice",
                    f"by {node.name[:80]!r} and another one",
                    "export the model again",
                )
            makers[output] = node
    order: list[Node] = []
    state: dict[int, int] = {}
    for start in nodes:
        stack: list[tuple[Node, Iterator[str]]] = []
        if id(start) not in state:
            state[id(start)] = 1
            stack.append((start, iter(start.inputs)))
        while stack:
            node, rest = stack[-1]
            for name in rest:
                if not name or name in known:
                    continue
                maker = makers.get(name)
                if maker is None:
                    raise EdgeTernaryError(
                        f"node {node.name[:80]!r} of {path.name} reads {name[:80]!r}",
                        "nothing makes it",
                        "export the model again",
                    )
                if state.get(id(maker)) == 1:
                    raise EdgeTernaryError(
                        f"node {node.name[:80]!r} of {path.name} reads its own result",
                        "the operators form a cycle",
                        "unroll it, or take one step of it",
                    )
                if id(maker) not in state:
                    state[id(maker)] = 1
                    stack.append((maker, iter(maker.inputs)))
                    break
            else:
                state[id(node)] = 2
                order.append(node)
                stack.pop()
    return order
