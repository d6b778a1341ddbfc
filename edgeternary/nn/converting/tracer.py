"""torch.fx as `convert` uses it: on an example, with the line of the user's code at each node."""

from __future__ import annotations

import copy
import inspect
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from edgeternary.nn.converting.report import Refusal

ORIGINAL = nn.Module.__call__, nn.Module.__getattr__
# of node.meta: file:line of the user's code, those of all forward() around it; shape for the example
WHERE, CALLS, SHAPE = "where", "calls", "shape"
FLOAT_LAYERS = (nn.Linear, nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm)
TAKEN = {*dir(fx.GraphModule), "meta", "report", "specs"}
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
    while frame is not None and frame.f_code is not traced_by_fx.__code__:
        name = frame.f_code.co_filename
        if name.endswith(".py") and not name.startswith(FOREIGN):
            found.append((frame.f_code.co_name, f"{name}:{frame.f_lineno}"))
        frame = frame.f_back  # type: ignore[assignment]
    return found


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


def _rename(model: nn.Module, graph: fx.Graph) -> None:
    """Gives layers that are called as an attribute of a converted model, such as `meta`, another name."""
    for name in [name for name, _ in model.named_children() if name in TAKEN]:
        free = f"{name}_"
        while hasattr(model, free):
            free += "_"
        model.add_module(free, model.get_submodule(name))
        for node in graph.nodes:
            path, _, rest = str(node.target).partition(".")
            if node.op in ("call_module", "get_attr") and path == name:
                node.target = f"{free}.{rest}" if rest else free


def traced_by_fx(model: nn.Module, training: bool, inputs: Sequence[torch.Tensor]) -> fx.GraphModule:
    copied = copy.deepcopy(model).train(training)
    try:
        defaults = _defaults(copied, len(inputs)) or {}
        graph = Tracer([*inputs, *defaults.values()]).trace(copied, concrete_args=defaults or None)
        _drop_placeholders(graph, len(inputs))
        _rename(copied, graph)
        return fx.GraphModule(copied, graph)
    except Refusal:
        raise
    except Exception as error:  # symbolic tracing raises whatever the model's own code does
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(FOREIGN)]
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        if "control flow" in said:
            said = "forward() branches on the value of a tensor, which each sample may have another of"
        raise Refusal(
            "the model cannot be traced by torch.fx",
            said,
            "write forward() without branches or loops that depend on values of tensors",
            where=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "",
        ) from error
