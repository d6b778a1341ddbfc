"""A file becomes a graph: operator by operator, in topological order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.imported import Cut, Imported, Refusals, Row
from edgeternary.frontends.onnx import ends
from edgeternary.frontends.onnx.cuts import cut_of, needed
from edgeternary.frontends.onnx.file import File, load
from edgeternary.frontends.onnx.inputs import Given, info, metas, start
from edgeternary.frontends.onnx.table import apply
from edgeternary.frontends.onnx.values import Context, Live, Node
from edgeternary.ir import Graph, Meta, OutputMeta
from edgeternary.passes import optimize


def read(
    path: Path,
    *,
    name: str = "model",
    cut: Cut = Cut(),  # noqa: B008
    input_type: str = "",
    input_scale: float = 1.0,
    input_zero: int = 0,
) -> Imported:
    """The graph of the file, a row for each operator, and notes.

    input_type, input_scale, input_zero  what the codes of inputs are that no quantiser reads first: "uint8"
    and 1/255 for pixels that the model takes as 0 to 1. EdgeTernaryError (code 1) lists every node without an
    exact integer form, and each with the nearest one that has; code 3 without the package onnx.
    """
    path = Path(path)
    context, rows, found = walk(path, cut, Given(input_type, input_scale, input_zero))
    graph = optimize(_graph(context, name, found))
    kept = {op.name for op in graph.ops}
    return Imported(graph, [_kept(row, kept, graph) for row in rows], context.notes)


def walk(path: Path, cut: Cut, given: Given) -> tuple[Context, list[Row], dict[str, ends.End]]:
    """The tensors of the file and its outputs by name, before any pass."""
    file = cut_of(load(path), cut, path)
    c = Context(tensors=dict(file.constants))
    file = _without_ends(file, c)
    for name in file.inputs:
        start(c, name, file, given)
    refusals, rows = Refusals(path.name), []
    nodes = needed(file)
    for node in nodes:
        rows.append(_row(c, node, refusals))
    outputs = _outputs(c, file, nodes, refusals)
    refusals.check()
    return c, rows, outputs


def _without_ends(file: File, c: Context) -> File:
    """The file up to functions at its end that keep the order of the logits."""
    makers = {output: node for node in file.nodes for output in node.outputs}
    outputs = []
    for tensor in file.outputs:
        left = []
        while tensor in makers and makers[tensor].type in ends.LEFT_OFF:
            left.append(f"{makers[tensor].name} ({makers[tensor].type})")
            tensor = makers[tensor].inputs[0]
        if left:
            c.notes.append(f"left off at the end: {', '.join(reversed(left))}; the output is what it reads")
        outputs.append(tensor)
    return replace(file, outputs=tuple(outputs))


def _row(c: Context, node: Node, refusals: Refusals) -> Row:
    c.node, c.made, c.remarks = node, [], []
    shape: tuple[int, ...] = ()
    kind = ""
    try:
        xs = [c.tensors[name] if name else None for name in node.inputs]
    except KeyError:  # what comes before it was refused
        return Row(node.name, node.type, (), "", "", "not read: a node before it is refused")
    with refusals.of(node.name):
        result = apply(c, xs)
        for output in _results(node):
            c.tensors[output] = result
        if isinstance(result, Live):
            shape, kind = c.values[result.base].shape, c.values[result.base].type.name
        else:
            c.remarks.append("a constant" if not any(isinstance(x, Live) for x in xs) else "known sizes")
        if isinstance(result, Live) and not c.made and not c.remarks:
            c.remarks.append("part of what follows")
    return Row(node.name, node.type, shape, kind, ", ".join(c.made), "; ".join(c.remarks))


def _results(node: Node) -> list[str]:
    """Its result: the indices of a TopK, else the first output."""
    if node.type == "TopK":
        return [name for name in node.outputs[1:2] if name]
    return [name for name in node.outputs[:1] if name]


def _outputs(c: Context, file: File, nodes: list[Node], refusals: Refusals) -> dict[str, ends.End]:
    makers = {output: node for node in nodes for output in node.outputs}
    found: dict[str, ends.End] = {}
    for tensor in file.outputs:
        if tensor not in c.tensors:
            continue  # what makes it is refused
        c.node = makers.get(tensor) or nodes[-1]
        c.made, c.remarks = [], []
        with refusals.of(c.node.name):
            found[tensor] = ends.end(c, c.tensors[tensor])
    return found


def _graph(c: Context, name: str, found: dict[str, ends.End]) -> Graph:
    inputs = dict(metas(c))
    outputs = tuple(end.value for end in found.values())
    if not outputs:
        raise EdgeTernaryError(
            f"{name} has no output", "no operator makes one that it names", "export it again"
        )
    several = len(outputs) > 1
    what: dict[str, Any] = {}
    if len(inputs) == 1:
        (only,) = inputs.values()
        what |= {"input_scale": only.scale, "input_zero": only.zero}
    else:
        what["inputs"] = inputs
    metas_ = {
        end.value: OutputMeta(logit_scale=end.scale, logit_zero=end.zero, logit_offset=end.offset)
        for end in found.values()
    }
    if several:
        what["outputs"] = metas_
    else:
        what |= msgspec.structs.asdict(metas_[outputs[0]])
    notes = {**info(c), "onnx_inputs": json.dumps(list(c.inputs)), "onnx_outputs": json.dumps(list(found))}
    meta = Meta(**what, info=notes)
    values = [c.values[input] for input in c.inputs]
    return Graph(name, values, tuple(c.ops), outputs, meta=meta)


def _kept(row: Row, kept: set[str], graph: Graph) -> Row:
    """The row without ops that a pass took out."""
    names = [name for name in row.became.split(", ") if name in kept]
    if ", ".join(names) == row.became or not row.became:
        return row
    return Row(row.name, row.was, row.shape, row.type, ", ".join(names), row.note)
