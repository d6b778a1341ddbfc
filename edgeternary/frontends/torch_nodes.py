"""Which nodes of an exported torch program may be lowered at all; everything else is refused by name."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.layout import graph_shape
from edgeternary.frontends.torch_dropout import DROPOUTS, dropout
from edgeternary.frontends.torch_support import SUPPORTED
from edgeternary.frontends.torch_values import Codes, Context, Lowered, Pending

_aten, _ours = torch.ops.aten, torch.ops.edgeternary
Arguments = tuple[Any, ...]


def _always(args: Arguments, place: int) -> bool:
    return True


# Float functions of one element and constants: whether they rise or fall in the argument at `place`, whatever
# it is. Each is one rounded operation, or several in a row, so rounding does not change that.
ELEMENTWISE: dict[object, Callable[[Arguments, int], bool]] = {
    _ours.batch_norm.default: _always,
    _ours.rprelu.default: lambda args, place: bool(args[2].min() >= 0),
    _aten.relu.default: _always,
    _aten.relu_.default: _always,
    _aten.relu6.default: _always,
    _aten.hardtanh.default: _always,
    _aten.hardtanh_.default: _always,
    _aten.leaky_relu.default: lambda args, place: len(args) < 2 or args[1] >= 0,
    _aten.mul.Tensor: _always,
    _aten.add.Tensor: _always,
    _aten.sub.Tensor: _always,
    _aten.div.Tensor: lambda args, place: place == 0,
    _aten.neg.default: _always,
    _aten.clamp.default: _always,
    _aten.to.dtype: _always,
    _aten.floor.default: _always,
    _aten.round.default: _always,
}
UNCHANGED = {
    _aten.alias.default, _aten.contiguous.default, _aten.detach.default, _aten.clone.default,
}  # fmt: skip
CHECKS = {_aten._assert_tensor_metadata.default}
FLOATS = (torch.float32, torch.float64)
KEYWORDS = {"memory_format"}  # those that change no value
WITHOUT_VALUES = ("empty", "new_empty", "rand", "normal", "bernoulli", "multinomial")
SAME_TENSOR = set(DROPOUTS)  # in eval mode; no schema says so
NO_WRITE = {_aten.detach_.default, *DROPOUTS}


def same_dtype(node: fx.Node) -> bool:
    """Whether a change of dtype leaves its argument as it is."""
    return bool(node.all_input_nodes[0].meta["val"].dtype == node.meta["val"].dtype)


_POOL = "use edgeternary.nn.AvgPool or GlobalAvgPool with an Activation, or edgeternary.nn.convert the model"
_LOGITS = "leave it out: argmax of the logits is the same, and the logits keep their scale"
_CURVE = "between layers use edgeternary.nn.Activation; at the end apply it to the logits instead"
REMEDIES = {  # by the operator's name; a trailing _ is in place
    "add": "use edgeternary.nn.Residual, which owns the scale that both branches share",
    "softmax": _LOGITS, "log_softmax": _LOGITS, "sigmoid": _CURVE, "tanh": _CURVE, "mean": _POOL,
    "avg_pool1d": _POOL, "avg_pool2d": _POOL, "adaptive_avg_pool1d": _POOL, "adaptive_avg_pool2d": _POOL,
}  # fmt: skip


def unknown(c: Context, target: object) -> EdgeTernaryError:
    """The refusal of an operator that has no row in any table."""
    return c.refuse(
        f"{str(target).removesuffix('.default')} has no exact integer form. Supported are {SUPPORTED}",
        REMEDIES.get(_name(target), "use one of these, or convert the model by edgeternary.nn.convert"),
    )


def _name(target: object) -> str:
    """aten.relu_.default -> relu."""
    return str(target).split(".")[1].rstrip("_") if "." in str(target) else str(target)


def check_kind(c: Context, node: fx.Node) -> None:
    """Refuses what is no call of one operator, such as a block under autocast."""
    called = isinstance(node.target, torch._ops.OpOverload) or node.target is operator.getitem
    if node.op != "call_function" or not called:
        raise c.refuse(
            f"{node.name} is a block of forward() under another mode of torch, such as autocast",
            "write it without the with statement",
        )


def check_call(c: Context, kwargs: Mapping[str, Any]) -> None:
    """Refuses keyword arguments that would be ignored; alpha of a sum may be 1."""
    for name, value in kwargs.items():
        if name not in KEYWORDS and not (name == "alpha" and isinstance(value, (int, float)) and value == 1):
            raise c.refuse(
                f"its keyword argument {name}={value} has no integer form", "write the formula without it"
            )


def check_constant(c: Context, target: Any, args: Arguments) -> None:
    """Refuses constants that another call would not give again."""
    if target is operator.getitem:
        return
    if target in DROPOUTS:
        dropout(c, *args)
        return
    random = torch.Tag.nondeterministic_seeded in target.tags
    if random or target._schema.name.removeprefix("aten::").startswith(WITHOUT_VALUES):
        raise c.refuse(
            f"{target} gives other numbers at every call", "keep such a tensor in a buffer of the model"
        )


def check_result(c: Context, node: fx.Node, result: Lowered) -> None:
    """Compares what the graph has for a node with torch's shape and dtype of it."""
    if not isinstance(result, (Codes, Pending)):
        return  # a constant
    fake, base = node.meta.get("val"), result.base if isinstance(result, Pending) else result
    if not isinstance(fake, Tensor) or tuple(fake.shape) != (1, *base.shape):
        shape = tuple(fake.shape[1:]) if isinstance(fake, Tensor) else "several tensors"
        raise c.refuse(
            f"{str(node.target).removesuffix('.default')} gives {shape} in torch and {base.shape} in a graph",
            "a function of codes keeps the batch axis, and constants fit along axis 1",
        )
    if fake.dtype not in FLOATS or (isinstance(result, Codes) and fake.dtype != torch.float32):
        raise c.refuse(
            f"{str(node.target).removesuffix('.default')} makes it {str(fake.dtype).removeprefix('torch.')}",
            "codes are float32 tensors that hold integers: leave the change of dtype out",
        )
    found = c.values[base.name].shape
    kept = math.prod(found) == math.prod(base.shape)  # noted by its order
    if (
        isinstance(result, Codes)
        and graph_shape(base.shape) != found
        and not (base.order is not None and kept)
    ):
        raise c.refuse(
            f"it reshapes {c.values[base.name].shape} to {base.shape}, which moves elements",
            "use edgeternary.nn.Flatten, or keep (N, C, H, W)",
        )


def check_writes(c: Context, program: torch.export.ExportedProgram) -> None:
    """Refuses in-place operations on a buffer, and those whose argument, or a view of it, is read afterwards.

    Lowering follows results from node to node and would not see what was written.
    """
    signature = program.graph_signature
    held = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    root: dict[fx.Node, fx.Node] = {}  # the node whose memory a result shares
    written: dict[fx.Node, set[fx.Node]] = {}  # by root: results that are older than the last write
    live: set[fx.Node] = set()
    for node in program.graph.nodes:
        c.node = node
        stale = [a for a in node.all_input_nodes if a in written.get(root[a], ())]
        if stale:
            raise c.refuse(
                f"it reads {stale[0].name!r}, which an in-place operation has changed since",
                "leave inplace=True and functions whose name ends in _ out",
            )
        if node.name not in held and (node.op == "placeholder" or live.intersection(node.all_input_nodes)):
            live.add(node)
        shared = _arguments(node, written=False)
        root[node] = root[shared[0]] if shared else node
        for argument in _arguments(node, written=True):
            if root[argument].name in held:
                raise c.refuse(
                    f"it writes into {held[root[argument].name]!r}, so each call answers otherwise",
                    "keep states in edgeternary.nn.LIF, IF or Readout",
                )
            if argument in live:
                family = {n for n in root if root[n] is root[argument]}
                written.setdefault(root[argument], set()).update(family - {node})


def _arguments(node: fx.Node, written: bool) -> list[fx.Node]:
    """Arguments that `node` writes to, or those whose memory its result may share."""
    target = node.target
    if not isinstance(target, torch._ops.OpOverload) or (written and target in NO_WRITE):
        return []
    if target in SAME_TENSOR:
        return [] if written else node.all_input_nodes
    if target is _aten.to.dtype and (True in node.args[2:] or not same_dtype(node)):
        return []  # a copy
    found = []
    for i, argument in enumerate(target._schema.arguments):
        value = node.args[i] if i < len(node.args) else node.kwargs.get(argument.name)
        alias = argument.alias_info
        if isinstance(value, fx.Node) and alias is not None and (alias.is_write or not written):
            found.append(value)
    return found
