"""A cut: the graph starts and ends at named operators or tensors of the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeternary.errors import EdgeTernaryError, nearest
from edgeternary.frontends.imported import Cut
from edgeternary.frontends.onnx.file import QONNX, File
from edgeternary.frontends.onnx.values import Node
from edgeternary.toolchains import extras


def cut_of(file: File, cut: Cut, path: Path) -> File:
    """The file with other inputs and outputs; EdgeTernaryError for names that it has not."""
    if cut.outputs:
        file = replace(file, outputs=tuple(tensor(file, name, path) for name in cut.outputs))
    if not cut.inputs:
        return file
    starts = [tensor(file, name, path) for name in cut.inputs]
    shapes = _shapes(path)
    sizes: dict[str, tuple[int | None, ...]] = {}
    for name in starts:
        if name not in shapes and name not in file.inputs:
            raise EdgeTernaryError(
                f"the shape of {name[:80]!r} in {path.name} is not known",
                "shape inference of the package onnx does not reach it",
                "start after another operator",
            )
        sizes[name] = shapes.get(name) or file.inputs[name]
    nodes = [node for node in file.nodes if not set(node.outputs) & set(starts)]
    cut_file = replace(file, nodes=nodes, inputs={**file.inputs, **sizes})
    read = {name for node in needed(cut_file) for name in node.inputs}
    return replace(cut_file, inputs={n: dims for n, dims in cut_file.inputs.items() if n in read})


def needed(file: File) -> list[Node]:
    """The nodes that an output depends on."""
    wanted, kept = set(file.outputs), []
    for node in reversed(file.nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]


def tensor(file: File, name: str, path: Path) -> str:
    """The tensor of this name, or the first result of the operator of this name."""
    results = {node.name: node.outputs[0] for node in file.nodes}
    tensors = {*file.inputs, *(output for node in file.nodes for output in node.outputs)}
    if name in tensors:
        return name
    if name in results:
        return results[name]
    raise EdgeTernaryError(
        f"{path.name} has no operator or tensor {name[:80]!r}",
        f"its operators are {', '.join(list(results)[:12])}{', ...' if len(results) > 12 else ''}",
        nearest(name, [*results, *tensors]),
    )


def _shapes(path: Path) -> dict[str, tuple[int | None, ...]]:
    """Shapes of the tensors of the file, as the package onnx infers them; quantisers keep theirs."""
    with extras.named():
        import onnx
    try:
        model = onnx.load(str(path), load_external_data=False)
        for node in model.graph.node:
            if node.domain in QONNX:
                node.domain, node.op_type = "", "Identity"
                del node.input[1:], node.attribute[:]
        found = onnx.shape_inference.infer_shapes(model)
    except Exception as error:
        said = str(error).splitlines()[0][:200]
        raise EdgeTernaryError(
            f"the shapes of {path.name} cannot be inferred", said, "cut elsewhere"
        ) from error
    return {
        info.name: tuple(d.dim_value if d.dim_value > 0 else None for d in info.type.tensor_type.shape.dim)
        for info in [*found.graph.value_info, *found.graph.input, *found.graph.output]
    }
