"""The ends of a float model: which layers make the logits, and what stands after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from edgeternary.nn.converting.calls import UNCHANGED, Call, call_of
from edgeternary.nn.converting.observe import Seen
from edgeternary.nn.converting.order import channels_last
from edgeternary.nn.converting.report import Report

LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
SILENT = (nn.Identity, nn.modules.dropout._DropoutNd)
PERMUTES = {torch.permute, torch.transpose, "permute", "transpose"}
MOVES = {
    torch.flatten,
    torch.reshape,
    torch.squeeze,
    torch.unsqueeze,
    "flatten",
    "view",
    "reshape",
    "squeeze",
    "unsqueeze",
    *PERMUTES,
    *UNCHANGED,
}
AVERAGES = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
ENDS: dict[type[nn.Module], tuple[str, str]] = {  # left off: name, what the loss becomes
    nn.Softmax: ("softmax", "train with F.cross_entropy on the logits, which holds the softmax"),
    nn.LogSoftmax: (
        "log_softmax",
        "train with F.cross_entropy in place of F.nll_loss: it holds the log-softmax",
    ),
    nn.Sigmoid: ("sigmoid", "train with F.binary_cross_entropy_with_logits; the class is logit > 0"),
    nn.LogSigmoid: ("logsigmoid", "apply it to the logits in the loss"),
    nn.Tanh: ("tanh", "apply torch.tanh to the output in the loss and after the network"),
    nn.ReLU: ("relu", "apply torch.relu to the output in the loss and after the network"),
    nn.ReLU6: ("relu6", "apply it to the output in the loss and after the network"),
    nn.Softplus: ("softplus", "apply it to the output in the loss and after the network"),
    nn.Hardtanh: ("hardtanh", "apply it to the output in the loss and after the network"),
}


@dataclass
class Heads:
    """layers: they make logits; skipped: calls that leave; norms: batch-norms that fold into a layer;
    averaged: layers whose logits are the mean of their map, and ends: the calls that take it."""

    layers: set[fx.Node] = field(default_factory=set)
    skipped: set[fx.Node] = field(default_factory=set)
    norms: dict[fx.Node, Any] = field(default_factory=dict)
    averaged: set[fx.Node] = field(default_factory=set)


def find_heads(traced: fx.GraphModule, seen: Mapping[fx.Node, Seen], report: Report) -> Heads:
    """Walks back from each output to the layer that makes it; ends without an integer form are left off."""
    heads = Heads()
    (end,) = [n for n in traced.graph.nodes if n.op == "output"]
    for start in end.all_input_nodes:
        _walk(traced, seen, start, heads, report)
    return heads


def _walk(
    traced: fx.GraphModule, seen: Mapping[fx.Node, Seen], node: fx.Node, heads: Heads, report: Report
) -> None:
    path: list[fx.Node] = []  # calls that are left out if a layer is found
    average: fx.Node | None = None
    norm: nn.Module | None = None
    moves: list[fx.Node] = []
    while True:
        if node.op not in ("call_module", "call_function", "call_method"):
            return
        call = call_of(node, traced)
        layer = call.layer
        alone = len(node.users) == 1
        if isinstance(layer, LINEAR):
            if not alone:
                return
            heads.layers.add(node)
            heads.skipped.update(path)
            if average is None and not _lies(moves, seen, seen[node].shape[1:]):
                heads.skipped.update(moves)
                _note_moves(moves, seen[node].shape, report)
            if norm is not None:
                heads.norms[node] = norm
                report.notes.append(f"{call.path}: the batch-norm at the end became part of its weights")
            if average is not None:
                heads.averaged.add(node)
                heads.skipped.add(average)
            return
        if layer is not None and type(layer) in ENDS and not path and average is None and norm is None:
            name, advice = ENDS[type(layer)]
            if not alone:
                return
            report.left_off.append(name)
            report.notes.append(f"{name} at the end was left off: {advice}")
            heads.skipped.add(node)
        elif isinstance(layer, NORMS) and alone and norm is None and average is None:
            norm = layer
            path.append(node)
        elif (
            average is None
            and norm is None
            and alone
            and _global_mean(
                call,
                layer,
                len(seen[node.all_input_nodes[0]].shape) if node.all_input_nodes[0] in seen else 0,
            )
        ):
            average = node
        elif (
            not (
                isinstance(layer, SILENT)
                or (layer is None and node.target in MOVES)
                or isinstance(layer, nn.Flatten)
            )
            or not alone
        ):
            return
        else:
            moves.append(node)
        if not node.all_input_nodes:
            return
        node = node.all_input_nodes[0]


def _lies(moves: list[fx.Node], seen: Mapping[fx.Node, Seen], shape: tuple[int, ...]) -> bool:
    """Whether, after moves (the last one first) of (N, *shape), elements lie in torch's order or with the
    channels last."""
    places = channels_last(shape).reshape(1, *shape)
    for node in reversed(moves):
        if node.op == "call_module" or node.target in UNCHANGED:
            continue
        if node.target in PERMUTES:
            args = node.args[1:]
            move: Any = getattr(places, node.target) if isinstance(node.target, str) else node.target
            places = move(*args) if isinstance(node.target, str) else move(places, *args, **_named(node))
        else:
            places = places.reshape(1, *seen[node].shape[1:])
    after, found = tuple(places.shape[1:]), places.flatten()
    as_graph = len(after) <= 3 and torch.equal(found, channels_last(after))
    return as_graph or torch.equal(found, torch.arange(len(found)))


def _named(node: fx.Node) -> dict[str, Any]:
    return {name: value for name, value in node.kwargs.items() if name != "input"}


def _note_moves(moves: list[fx.Node], shape: tuple[int, ...], report: Report) -> None:
    said = ", then ".join(
        f"{node.target if isinstance(node.target, str) else getattr(node.target, '__name__', node.target)}"
        f"({', '.join(map(str, node.args[1:]))})"
        for node in reversed(moves)
        if node.op != "call_module" and node.target not in UNCHANGED
    )
    report.left_off.append("moves")
    report.notes.append(
        f"the output is {('N', *shape[1:])}, with the channels last in the graph: {said} at the end was left "
        "off; apply it to the output in the loss and after the network"
    )


def _global_mean(call: Call, layer: nn.Module | None, rank: int) -> bool:
    """Whether a call is the mean over the whole map of (N, C, ...), `rank` axes."""
    if isinstance(layer, AVERAGES):
        return layer.output_size in (1, (1,), (1, 1), [1], [1, 1])
    if not is_mean(call.node):
        return False
    dims = call.bound("dim").get("dim")
    axes = {d % rank for d in (dims if isinstance(dims, (tuple, list)) else [dims]) if isinstance(d, int)}
    return rank > 2 and axes == set(range(2, rank))


def is_mean(node: fx.Node) -> bool:
    """Whether a call is x.mean(...) or torch.mean(x, ...)."""
    return (node.op == "call_method" and node.target == "mean") or node.target is torch.mean
