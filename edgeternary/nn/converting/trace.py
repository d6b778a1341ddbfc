"""A float model as a torch.fx graph that follows train() and eval(), or a refusal.

Tracing runs forward() once and writes down what it did, so what depends on self.training would stay as it
was: the model is traced in both modes, and both must do the same but for dropout.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.converting.report import Refusal, Report
from edgeternary.nn.converting.tracer import WHERE, traced_by_fx

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
RANDOM = ("rand", "rand_like", "randn", "randn_like", "bernoulli", "uniform", "normal")


def trace(model: nn.Module, inputs: Sequence[torch.Tensor], report: Report) -> fx.GraphModule:
    """A traced copy of `model` in its own mode; F.dropout(x, p, self.training) becomes a layer nn.Dropout(p).

    inputs: what the model takes, a batch of each. Noise that train mode alone adds, such as stochastic depth,
    is left out, and the report says so. Refusal: forward() cannot be traced, does other things in train mode
    than in eval mode, drops elements in eval mode, or draws random numbers.
    """
    traced, evaluated = (traced_by_fx(model, mode, inputs) for mode in (True, False))
    apart = _apart(traced, evaluated)
    if apart is not None:
        report.notes.append(apart)
        traced = evaluated
    dropouts: list[tuple[fx.Node, fx.Node]] = []
    for node, other in zip_longest(list(traced.graph.nodes), list(evaluated.graph.nodes)):
        if node is None or other is None or (node.op, node.target) != (other.op, other.target):
            raise _changes(model, inputs, traced, training=True) or _differs(node or other)
        if node.op == "call_function" and node.target in DROPOUTS:
            dropouts.append((node, other))
        elif _arguments(node) != _arguments(other):
            raise _differs(node)
        elif node.op == "get_attr" and not _same(traced, evaluated, str(node.target)):
            raise _refusal(
                node,
                "it is a tensor that each call makes again: with random numbers, or by the mode of the model",
                "keep such a tensor in a buffer of the model",
            )
    for node, other in dropouts:
        _dropout(traced, node, other)
    traced.recompile()
    return traced.train(model.training)


def _apart(traced: fx.GraphModule, evaluated: fx.GraphModule) -> str | None:
    """The note on what train mode does beside eval mode, where converting eval mode alone is right.

    That is noise, such as stochastic depth; results that eval mode does not have, such as an auxiliary head;
    and a softmax that train mode leaves to the loss.
    """
    noise = [node for node in traced.graph.nodes if _draws(node)]
    if noise and not any(_draws(node) for node in evaluated.graph.nodes):
        return f"{_place(noise[0])}: what train mode draws at random was left out"
    nodes, others = ([n for n in g.graph.nodes if n.op != "output"] for g in (traced, evaluated))
    if len(nodes) > len(others) and _contains(nodes, others) is not None:
        extra = _contains(nodes, others)
        assert extra is not None
        return f"{_place(extra)}: what train mode alone computes, such as an auxiliary head, was left out"
    if len(others) > len(nodes) and _contains(others, nodes) is not None:
        return "eval mode was converted, which computes more than train mode"
    return None


def _contains(nodes: list[fx.Node], part: list[fx.Node]) -> fx.Node | None:
    """The first of `nodes` that is not in `part`, where `part` is among them and depends on no other."""
    same: dict[fx.Node, fx.Node] = {}  # of part: the one of nodes
    left, extra = iter(part), None
    wanted = next(left, None)
    for node in nodes:
        if wanted is not None and (node.op, node.target) == (wanted.op, wanted.target):
            mapped = fx.node.map_arg((wanted.args, wanted.kwargs), lambda n: same.get(n, n))
            if mapped == (node.args, node.kwargs):
                same[wanted] = node
                wanted = next(left, None)
                continue
        extra = extra or node
    return extra if wanted is None else None


def _place(node: fx.Node) -> str:
    return Path(str(node.meta.get(WHERE, ""))).name or node.name


def _draws(node: fx.Node) -> bool:
    """Whether a call draws random numbers that is no dropout, or takes a tensor that forward() makes."""
    if node.op == "get_attr":
        return str(node.target).startswith("_tensor_constant")
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return node.op != "call_module" and name.rstrip("_") in RANDOM


def _dropout(traced: fx.GraphModule, node: fx.Node, other: fx.Node) -> None:
    """Gives a dropout that follows the mode a layer of its own; takes out one that never drops."""
    trains, stays = _bound(node), _bound(other)
    if stays["training"] and stays["p"] != 0:
        raise _refusal(
            node,
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
            x.meta[WHERE] = node.meta.get(WHERE, "")
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


def _refusal(node: fx.Node, why: str, remedy: str) -> Refusal:
    return Refusal(
        f"{node.name!r} in forward() cannot be converted", why, remedy, where=str(node.meta.get(WHERE, ""))
    )


def _changes(
    model: nn.Module, inputs: Sequence[torch.Tensor], traced: fx.GraphModule, training: bool
) -> Refusal | None:
    """The refusal of a forward() that does other things at every call, in one mode too: tried a few times."""
    for _ in range(4):
        again = traced_by_fx(model, training, inputs)
        for node, other in zip_longest(traced.graph.nodes, again.graph.nodes):
            if node is None or other is None or (node.op, node.target) != (other.op, other.target):
                return Refusal(
                    "forward() cannot be converted",
                    f"it does other things at every call, from {(node or other).name!r} on",
                    "let it do the same at every call; noise belongs into a dropout layer",
                    where=str((node or other).meta.get(WHERE, "")),
                )
    return None


def _differs(node: fx.Node) -> EdgeTernaryError:
    return _refusal(
        node,
        "it is not the same in train mode and in eval mode, and a converted model has one graph for both",
        "let forward() do the same in both modes; only dropout may look at self.training",
    )
