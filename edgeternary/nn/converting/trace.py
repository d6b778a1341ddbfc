"""A float model as a torch.fx graph that follows train() and eval(), or a refusal.

Tracing runs forward() once and writes down what it did, so what depends on self.training would stay as it
was: the model is traced in both modes, and both must do the same but for dropout.
"""

from __future__ import annotations

import copy
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.converting.report import Refusal, Report

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
ORIGINAL = nn.Module.__call__, nn.Module.__getattr__
# of node.meta: file:line of the user's code, those of all forward() around it; shape for the example
WHERE, CALLS, SHAPE = "where", "calls", "shape"
FLOAT_LAYERS = (nn.Linear, nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm)
FOREIGN = tuple(str(Path(module.__file__ or "").parent) for module in (torch, sys.modules["edgeternary"]))


class Shaped(fx.Proxy):
    """A traced value beside what it is for the example, which gives its shape, never its elements."""

    real: Any = None

    @property
    def shape(self) -> Any:
        return self.real.shape

    @property
    def dtype(self) -> Any:
        return self.real.dtype

    @property
    def device(self) -> Any:
        return self.real.device

    @property
    def ndim(self) -> int:
        return int(self.real.dim())

    def size(self, dim: int | None = None) -> Any:
        return self.real.size() if dim is None else self.real.size(dim)

    def dim(self) -> int:
        return int(self.real.dim())

    def numel(self) -> int:
        return int(self.real.numel())

    def __len__(self) -> int:
        return len(self.real)


class Tracer(fx.Tracer):
    """Layers of torch and of edgeternary.nn stay whole; each node knows its line of the user's code.

    forward() may branch on shapes: every value is computed for the example as well. inputs: the example.
    """

    def __init__(self, inputs: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.inputs = list(inputs)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if type(m).__module__.startswith("edgeternary."):
            return not any(isinstance(part, FLOAT_LAYERS) for part in m.modules())
        return super().is_leaf_module(m, module_qualified_name)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        places = _callers()
        node.meta[WHERE] = places[0][1] if places else ""
        node.meta[CALLS] = [place for function, place in places if function == "forward"]
        return node

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return Shaped(node, self)

    def create_proxy(
        self, kind: str, target: Any, args: Any, kwargs: Any, *more: Any, **rest: Any
    ) -> fx.Proxy:
        made = super().create_proxy(kind, target, args, kwargs, *more, **rest)
        assert isinstance(made, Shaped)
        if kind == "placeholder":
            made.real = self.inputs.pop(0) if self.inputs else None
            return _noted(made)
        real_args, real_kwargs = (fx.node.map_aggregate(x, _real) for x in (args, kwargs))
        with torch.no_grad(), _not_traced(), _runs(made.node):
            if kind == "call_module":
                made.real = _shape_of(self.root.get_submodule(target), real_args, real_kwargs)
            elif kind == "call_method":
                made.real = getattr(real_args[0], target)(*real_args[1:], **real_kwargs)
            elif kind == "call_function":
                made.real = target(*real_args, **real_kwargs)
            elif kind == "get_attr":
                made.real = _found(self.root, target)
        return _noted(made)

    def iter(self, obj: fx.Proxy) -> Any:
        given: Any = obj
        count = len(given.real) if isinstance(given.real, (tuple, list)) else 0
        return iter([given[i] for i in range(count)]) if count else super().iter(obj)


def _noted(made: Shaped) -> Shaped:
    if isinstance(made.real, torch.Tensor):
        made.node.meta[SHAPE] = tuple(made.real.shape)
    return made


def _real(x: Any) -> Any:
    if isinstance(x, fx.proxy.Attribute):
        return getattr(_real(x.root), x.attr)
    return x.real if isinstance(x, Shaped) else x


@contextmanager
def _runs(node: fx.Node) -> Iterator[None]:
    """A refusal where the user's own call fails on the example."""
    try:
        yield
    except Exception as error:  # whatever torch and the model's own layers raise
        raise Refusal(
            "the model does not take the example",
            f"{node.name!r}: {(str(error).strip() or type(error).__name__).splitlines()[0]}",
            "give a batch of the model's inputs: (samples, channels, ...), or a tuple of them",
            where=str(node.meta.get(WHERE, "")),
        ) from error


@contextmanager
def _not_traced() -> Iterator[None]:
    """Layers that are called inside compute, where the tracer else writes the call down."""
    traced = nn.Module.__call__, nn.Module.__getattr__
    nn.Module.__call__, nn.Module.__getattr__ = ORIGINAL  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__call__, nn.Module.__getattr__ = traced  # type: ignore[method-assign]


def _shape_of(module: nn.Module, args: Any, kwargs: Any) -> Any:
    """What a layer gives, without a trace in its statistics."""
    training = module.training
    try:
        return module.eval()(*args, **kwargs)
    finally:
        module.train(training)


def _found(root: Any, path: str) -> Any:
    for name in path.split("."):
        root = getattr(root, name)
    return root


def _callers() -> list[tuple[str, str]]:
    """Function and file:line of the frames that are neither torch's nor ours, the innermost first."""
    frame, found = sys._getframe(1), []
    while frame is not None and frame.f_code is not _traced.__code__:
        name = frame.f_code.co_filename
        if name.endswith(".py") and not name.startswith(FOREIGN):
            found.append((frame.f_code.co_name, f"{name}:{frame.f_lineno}"))
        frame = frame.f_back  # type: ignore[assignment]
    return found


def trace(model: nn.Module, inputs: Sequence[torch.Tensor], report: Report) -> fx.GraphModule:
    """A traced copy of `model` in its own mode; F.dropout(x, p, self.training) becomes a layer nn.Dropout(p).

    inputs: what the model takes, a batch of each. Noise that train mode alone adds, such as stochastic depth,
    is left out, and the report says so. Refusal: forward() cannot be traced, does other things in train mode
    than in eval mode, drops elements in eval mode, or draws random numbers.
    """
    traced, evaluated = (_traced(model, mode, inputs) for mode in (True, False))
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


def _defaults(model: nn.Module, count: int) -> dict[str, Any] | None:
    """The defaults of those arguments of forward() for which there is no input."""
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p for p in inspect.signature(model.forward).parameters.values() if p.kind in plain]
    return {p.name: p.default for p in names[count:] if p.default is not p.empty} or None


def _drop_placeholders(graph: fx.Graph, count: int) -> None:
    """Takes out arguments that have a default, and the checks that they do have it."""
    for node in [n for n in graph.nodes if n.op == "placeholder"][count:]:
        for user in list(node.users):
            for check in list(user.users):
                graph.erase_node(check)
            graph.erase_node(user)
        graph.erase_node(node)


def _traced(model: nn.Module, training: bool, inputs: Sequence[torch.Tensor]) -> fx.GraphModule:
    copied = copy.deepcopy(model).train(training)
    try:
        graph = Tracer(inputs).trace(copied, concrete_args=_defaults(copied, len(inputs)))
        _drop_placeholders(graph, len(inputs))
        return fx.GraphModule(copied, graph)
    except Refusal:
        raise
    except Exception as error:  # symbolic tracing raises whatever the model's own code does
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(FOREIGN)]
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Refusal(
            "the model cannot be traced by torch.fx",
            said,
            "write forward() without branches or loops that depend on values or shapes of tensors",
            where=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "",
        ) from error


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
        again = _traced(model, training, inputs)
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
