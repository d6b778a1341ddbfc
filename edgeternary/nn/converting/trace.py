"""A float model as a torch.fx graph that follows train() and eval(), or a refusal.

Tracing runs forward() once and writes down what it did, so what depends on self.training would stay as it
was: the model is traced in both modes, and both must do the same but for dropout.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from edgeternary.errors import EdgeTernaryError

DROPOUTS: Mapping[Any, type[nn.Module]] = {
    F.dropout: nn.Dropout,
    F.dropout1d: nn.Dropout1d,
    F.dropout2d: nn.Dropout2d,
    F.dropout3d: nn.Dropout3d,
    F.alpha_dropout: nn.AlphaDropout,
    F.feature_alpha_dropout: nn.FeatureAlphaDropout,
    torch.dropout: nn.Dropout,
    torch.feature_dropout: nn.Dropout2d,
    torch.alpha_dropout: nn.AlphaDropout,
    torch.feature_alpha_dropout: nn.FeatureAlphaDropout,
}


def trace(model: nn.Module) -> fx.GraphModule:
    """A traced copy of `model` in its own mode; F.dropout(x, p, self.training) becomes a layer nn.Dropout(p).

    EdgeTernaryError: forward() cannot be traced, does other things in train mode than in eval mode, drops
    elements in eval mode, or draws random numbers.
    """
    traced, evaluated = (_traced(model, mode) for mode in (True, False))
    dropouts: list[tuple[fx.Node, fx.Node]] = []
    for node, other in zip_longest(list(traced.graph.nodes), list(evaluated.graph.nodes)):
        if node is None or other is None or (node.op, node.target) != (other.op, other.target):
            raise _differs(node or other)
        if node.op == "call_function" and node.target in DROPOUTS:
            dropouts.append((node, other))
        elif _arguments(node) != _arguments(other):
            raise _differs(node)
        elif node.op == "get_attr" and not _same(traced, evaluated, str(node.target)):
            raise EdgeTernaryError(
                f"{node.name!r} in forward() cannot be converted",
                "it is a tensor that each call makes again: with random numbers, or by the mode of the model",
                "keep such a tensor in a buffer of the model",
            )
    for node, other in dropouts:
        _dropout(traced, node, other)
    traced.recompile()
    return traced.train(model.training)


def _traced(model: nn.Module, training: bool) -> fx.GraphModule:
    try:
        return fx.symbolic_trace(copy.deepcopy(model).train(training))
    except Exception as error:  # symbolic tracing raises whatever the model's own code does
        raise EdgeTernaryError(
            "the model cannot be traced by torch.fx",
            (str(error).strip() or type(error).__name__).splitlines()[0],
            "write forward() without branches on values, or build the model from edgeternary.nn layers",
        ) from error


def _dropout(traced: fx.GraphModule, node: fx.Node, other: fx.Node) -> None:
    """Gives a dropout that follows the mode a layer of its own; takes out one that never drops."""
    trains, stays = _bound(node), _bound(other)
    if stays["training"] and stays["p"] != 0:
        raise EdgeTernaryError(
            f"{node.name!r} in forward() cannot be converted",
            f"it drops elements in eval mode too (p={stays['p']}, training={stays['training']}), so that "
            "each call of model.eval() answers differently",
            "write F.dropout(x, p, self.training), or use a layer nn.Dropout(p)",
        )
    if trains["p"] != stays["p"]:
        raise _differs(node)
    x = trains["input"]
    if trains["training"]:
        name = free_name(traced, node.name)
        traced.add_submodule(name, DROPOUTS[node.target](trains["p"]))
        with traced.graph.inserting_after(node):
            x = traced.graph.call_module(name, (x,))
    node.replace_all_uses_with(x)
    traced.graph.erase_node(node)


def free_name(model: nn.Module, name: str) -> str:
    """`name`, or that with underscores after it, which no attribute of `model` has."""
    while hasattr(model, name):
        name += "_"
    return name


def _bound(node: fx.Node) -> dict[str, Any]:
    """input, p and training of a call of dropout."""
    names: tuple[str, ...] = ("input", "p", "training", "inplace")
    defaults: dict[str, Any] = {"p": 0.5, "training": False}
    try:
        parameters = inspect.signature(node.target).parameters  # type: ignore[arg-type]
        defaults |= {n: p.default for n, p in parameters.items() if p.default is not inspect.Parameter.empty}
    except ValueError:  # a builtin of torch, which has no defaults
        names = ("input", "p", "training")
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    if "train" in given:
        given["training"] = given.pop("train")
    return defaults | given


def _arguments(node: fx.Node) -> Any:
    return fx.node.map_arg((node.args, node.kwargs), lambda n: f"%{n.name}")


def _same(traced: fx.GraphModule, evaluated: fx.GraphModule, path: str) -> bool:
    def get(model: Any) -> Any:
        for name in path.split("."):
            model = getattr(model, name)
        return model

    a, b = get(traced), get(evaluated)
    return not isinstance(a, torch.Tensor) or (a.shape == b.shape and torch.equal(a, b))


def _differs(node: fx.Node) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{node.name!r} in forward() cannot be converted",
        "it is not the same in train mode and in eval mode, and a converted model has one graph for both",
        "let forward() do the same in both modes; only dropout may look at self.training",
    )
