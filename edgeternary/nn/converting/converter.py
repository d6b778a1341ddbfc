"""The walk over the float model: each call is handed to what converts its kind."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.converting import curves, joins, layers, maxima, moves, pools, slices
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import ARITHMETIC, ELEMENTWISE, UNCHANGED, Call, call_of
from edgeternary.nn.converting.heads import ENDS, SILENT, Heads, is_mean
from edgeternary.nn.converting.ours import is_ours, keep
from edgeternary.nn.converting.refusals import attends, nearest
from edgeternary.nn.converting.report import Refusal
from edgeternary.nn.converting.tracer import WHERE
from edgeternary.nn.converting.values import Codes, Constant, Float, Logits, Lost, Made, Several, Value
from edgeternary.nn.levels import levels
from edgeternary.nn.structure import Scale

Handler = Callable[..., Value]
LAYERS: Mapping[tuple[type[nn.Module], ...], Handler] = {
    (nn.Linear,): layers.linear,
    (nn.Conv1d, nn.Conv2d): layers.conv,
    (nn.ConvTranspose1d, nn.ConvTranspose2d): layers.conv_transpose,
    (nn.BatchNorm1d, nn.BatchNorm2d): layers.batch_norm,
    (nn.PixelShuffle,): layers.pixel_shuffle,
    curves.CURVES: curves.curve,
    (nn.Softmax, nn.LogSoftmax, nn.Softmax2d): curves.softmax,
    pools.MAXIMA: pools.max_pool,
    pools.AVERAGES: pools.average,
    pools.ADAPTIVE_AVERAGES: pools.adaptive_average,
    pools.ADAPTIVE_MAXIMA: pools.adaptive_max,
    (nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d): pools.upsample,
    SILENT: moves.silent,
    (nn.ConstantPad1d, nn.ConstantPad2d, nn.ZeroPad1d, nn.ZeroPad2d): moves.pad,
}


FUNCTIONAL = {F.linear, F.conv1d, F.conv2d, torch.conv1d, torch.conv2d}
SUMS = {torch.sum, "sum", torch.mean, "mean"}
MATMULS = {torch.matmul, operator.matmul, "matmul", torch.mm, "mm"}
CONCATS = {torch.cat, torch.concat, torch.concatenate}
MAXIMA = {torch.max, torch.amax, "max", "amax"}
KNOWN = {
    *moves.RESHAPES,
    *moves.PERMUTES,
    *slices.SPLITS,
    *moves.PADS,
    *moves.EXPANDS,
    *UNCHANGED,
    *FUNCTIONAL,
    *CONCATS,
    *ARITHMETIC,
    *ELEMENTWISE,
}


class Converter:
    """Converts the calls of a traced model one after the other; refusals are collected in the report."""

    def __init__(self, b: Builder, heads: Heads) -> None:
        self.b, self.heads = b, heads
        self.values: dict[fx.Node, Value] = {}
        self.attended = False
        self.ends: list[fx.Node] = []  # calls of the float model that give what the outputs should be

    def run(self, inputs: list[Codes]) -> None:
        """Converts everything. inputs: of the placeholders, in their order."""
        left = iter(inputs)
        for node in self.b.traced.graph.nodes:
            self.b.at = node
            if node.op == "placeholder":
                self.values[node] = next(left)
            elif node.op == "get_attr":
                self.values[node] = Constant(_attribute(self.b.traced, str(node.target)))
            elif node.op == "output":
                self._output(node)
            else:
                self._call(node)

    def _call(self, node: fx.Node) -> None:
        b = self.b
        before = len(b.report.refusals)
        try:
            self.values[node] = self._converted(call_of(node, b.traced))
        except Refusal as refusal:
            b.report.refusals.append(refusal)
        except EdgeTernaryError as error:
            place = str(node.meta.get(WHERE, ""))
            b.report.refusals.append(Refusal(error.what, error.why, error.remedy, place))
        if len(b.report.refusals) > before:
            self.values[node] = Lost()
            b.credit, b.refused[node] = None, "refused"
        elif isinstance(self.values[node], Lost):
            b.refused[node] = "(after a refused one)"

    def _converted(self, call: Call) -> Value:
        b, layer = self.b, call.layer
        given = [self.values[n] for n in call.inputs]
        if any(isinstance(v, Lost) for v in given):
            if not self._known(call) and not (self.attended and attends(call)):
                raise self._nearest(call)
            return Lost()
        live: list[Value] = [v for v in given if not isinstance(v, Constant)]
        if not live:
            return self._constant(call)
        if is_ours(layer):
            assert layer is not None
            return keep(b, self.heads, call, live, layer)
        if layer is not None:
            for kinds, handler in LAYERS.items():
                if type(layer) in kinds or (isinstance(layer, kinds) and kinds is SILENT):
                    return handler(b, self.heads, call, live[0], layer)
            if isinstance(layer, moves.RESHAPING_LAYERS):
                return moves.reshape(b, self.heads, call, live[0])
            raise nearest(b, call, layer)
        return self._function(call, live)

    def _nearest(self, call: Call) -> Refusal:
        """As `nearest`; of the products of an attention the first alone is refused."""
        self.attended = self.attended or attends(call)
        return nearest(self.b, call, call.layer)

    def _known(self, call: Call) -> bool:
        """Whether calls of this kind can be converted at all."""
        if call.layer is not None:
            kinds = (*(k for kinds in LAYERS for k in kinds), *moves.RESHAPING_LAYERS)
            return is_ours(call.layer) or isinstance(call.layer, kinds)
        return call.node.target in KNOWN or is_mean(call.node) or call.was in ("getitem", "getattr")

    def _function(self, call: Call, live: list[Value]) -> Value:
        b, target, node = self.b, call.node.target, call.node
        if target in FUNCTIONAL:
            return self._functional(call, live)
        if target in MATMULS:
            return self._matmul(call, live)
        for targets, handler in (
            (moves.RESHAPES, moves.reshape),
            (moves.PERMUTES, moves.permute),
            (slices.SPLITS, slices.split),
            (moves.PADS, moves.pad),
            (UNCHANGED, moves.unchanged),
            (moves.EXPANDS, moves.expand),
        ):
            if target in targets:
                return handler(b, self.heads, call, live[0])
        if getattr(target, "__name__", "") == "getitem":
            return slices.getitem(b, self.heads, call, live[0])
        if target in (torch.stack,):
            parts: Any = node.args[0] if node.args else node.kwargs["tensors"]
            if not all(user.target in SUMS for user in node.users) or len(live) != len(parts):
                raise nearest(b, call, None)
            return Several(tuple(self.values[n] for n in parts))
        if target in SUMS and isinstance(live[0], Several):
            return joins.total(b, call, live[0])
        if is_mean(node) or target in (torch.sum, "sum"):
            return pools.mean(b, self.heads, call, live[0])
        if target in CONCATS:
            parts = node.args[0] if node.args else node.kwargs["tensors"]
            return joins.concat(b, call, [self.values[n] for n in parts], parts)
        if target is torch.maximum or target == "maximum" or (target in MAXIMA and len(live) == 2):
            return joins.larger(b, call, live)
        if target in MAXIMA:
            return maxima.maximum(b, self.heads, call, live[0])
        if target is getattr:
            return slices.attribute(b, call, live[0])
        if target in ("repeat", torch.tile, "tile"):
            return joins.repeat(b, call, live[0])
        if target in (F.glu,):
            return joins.glu(b, call, live[0])
        if target in ARITHMETIC:
            return self._arithmetic(call, live)
        if target in ELEMENTWISE and len(live) == 1:
            place = next(i for i, a in enumerate(node.args) if isinstance(a, fx.Node) and a is call.inputs[0])
            return curves.function(b, call, live[0], place, self._plain(node.args))
        raise nearest(b, call, None)

    def _plain(self, args: Any) -> Any:
        """Arguments with constants in place of their nodes."""

        def plain(n: fx.Node) -> Any:
            value = self.values[n]
            return value.value if isinstance(value, Constant) else n

        return fx.node.map_arg(args, plain)

    def _arithmetic(self, call: Call, live: list[Value]) -> Value:
        b, node = self.b, call.node
        operation, args = ARITHMETIC[node.target], self._plain(node.args)
        other = args[1] if len(args) > 1 else self._plain(node.kwargs.get("other"))
        both = len(live) == 2 or (len(call.inputs) == 1 and args[0] is other)
        if not both:
            first = isinstance(args[0], fx.Node)
            constant = other if first else args[0]
            constant = (
                torch.as_tensor(constant, dtype=torch.float32)
                if isinstance(constant, Tensor)
                else float(constant)
            )
            if (
                isinstance(constant, Tensor)
                and constant.dim()
                and not _per_channel(constant, b.seen[call.inputs[0]].shape)
            ):
                if not (isinstance(live[0], Codes) and live[0].affine is not None):
                    b.refuse(
                        f"{b.name} cannot be converted",
                        f"its constant has the shape {tuple(constant.shape)}, one number for each element",
                        "use one number, or one for each channel",
                    )
            if not first and call.was == "truediv":
                raise nearest(b, call, None)
            if (
                isinstance(constant, Tensor)
                and constant.dim()
                and constant.dim() < len(b.seen[call.inputs[0]].shape)
            ):
                rank = len(b.seen[call.inputs[0]].shape)
                constant = constant.reshape(*([1] * (rank - constant.dim())), *constant.shape)
            apply = Arithmetic(operation, constant, first)
            return curves.affine(b, call, live[0], apply)
        values = live if len(live) == 2 else [live[0], live[0]]
        if operation is ARITHMETIC["add"]:
            return joins.add(b, call, values)
        if operation is ARITHMETIC["sub"]:
            return joins.add(b, call, [values[0], curves.negated(call, values[1])])
        if operation is ARITHMETIC["mul"] and values[0] is not values[1]:
            return joins.multiply(b, call, values)
        if operation is ARITHMETIC["mul"]:
            return curves.function_of(b, call, values[0], torch.square)
        raise nearest(b, call, None)

    def _functional(self, call: Call, live: list[Value]) -> Value:
        bound = call.bound("weight", "bias")
        weight, bias = (self._plain(bound.get(n)) for n in ("weight", "bias"))
        given = [n for n in (bound.get("weight"), bound.get("bias")) if isinstance(n, fx.Node)]
        if len(live) != 1 or not isinstance(weight, Tensor) or not all(_stored(n) for n in given):
            raise self._nearest(call)
        if any(n.op != "get_attr" for n in given):
            self.b.note("its weights, which it shares with another layer, are its own from here on")
        return layers.functional(self.b, self.heads, call, live[0], weight, bias)

    def _matmul(self, call: Call, live: list[Value]) -> Value:
        """x @ weights, with weights (in, out) that the model holds."""
        args: Any = call.node.args
        weight = self._plain(args[1]) if len(args) == 2 else None
        fits = isinstance(args[0], fx.Node) and isinstance(self.values.get(args[0]), type(live[0]))
        if (
            len(live) != 1
            or not isinstance(weight, Tensor)
            or weight.dim() != 2
            or not fits
            or not _stored(args[1])
        ):
            raise self._nearest(call)
        if len(self.b.shape(args[0])) != 1:
            raise self._nearest(call)
        layer = nn.Linear(weight.shape[0], weight.shape[1], bias=False)
        with torch.no_grad():
            layer.weight.copy_(weight.t())
        return layers.linear(self.b, self.heads, call, live[0], layer)

    def _constant(self, call: Call) -> Constant:
        """What does not depend on the input is computed."""
        args, kwargs = self._plain(call.node.args), self._plain(call.node.kwargs)
        target: Any = call.node.target
        if call.layer is not None and call.is_layer:
            return Constant(call.layer(*args))
        if isinstance(target, str):
            return Constant(getattr(args[0], target)(*args[1:], **kwargs))
        return Constant(target(*args, **kwargs))

    def _output(self, node: fx.Node) -> None:
        b = self.b

        def made(n: fx.Node) -> Any:
            b.at = n
            x = self.values[n]
            if isinstance(x, Lost):
                return None
            try:
                return self._logits(n, x)
            except Refusal as refusal:
                b.report.refusals.append(refusal)
            return None

        result = fx.node.map_arg(node.args[0], made)
        b.graph.output(result)
        b.rows(self._named)

    def _named(self, node: fx.Node) -> tuple[str, str, bool]:
        call = call_of(node, self.b.traced)
        return call.path, call.was, call.is_layer

    def _logits(self, n: fx.Node, x: Value) -> fx.Node:
        b, end = self.b, n
        while end in self.heads.skipped and _left_off(b, end):
            end = end.all_input_nodes[0]
        self.ends.append(end)
        if isinstance(x, (Logits, Made)):
            return x.node
        if isinstance(x, (Constant, Several)):
            b.refuse(
                "the output of the model cannot be converted",
                "it does not depend on the input alone",
                "return the result of layers",
            )
        if isinstance(x, Codes) and b.kept and x.owner is not None and b.path(x.owner) in b.kept:
            return x.node  # the model was ours, and ends in codes
        scaled = (
            isinstance(x, Float) and x.norm is None and not x.curves and getattr(x.base, "layer", 1) is None
        )
        wide = levels("int8")
        node = (
            x.base.node
            if scaled and isinstance(x, Float)
            else b.codes(x, None if isinstance(x, Codes) else wide).node
        )
        scale = Scale()
        made = b.layer(b.free(f"{n.name}_scale"), scale, node)
        b.fits[b.path(scale)] = n
        return made


def _left_off(b: Builder, node: fx.Node) -> bool:
    layer = call_of(node, b.traced).layer
    return layer is not None and type(layer) in ENDS


def _stored(node: fx.Node) -> bool:
    """Whether a weight is the model's own, as it is or transposed."""
    turned = node.target in ("t", "transpose", "permute", torch.t, torch.transpose, torch.permute, getattr)
    return node.op == "get_attr" or (turned and all(n.op == "get_attr" for n in node.all_input_nodes))


class Arithmetic:
    """x and a constant, in their order."""

    def __init__(self, operation: Callable[..., Any], constant: Any, first: bool) -> None:
        self.operation, self.constant, self.first = operation, constant, first

    def __call__(self, x: Tensor) -> Tensor:
        constant = self.constant.to(x.dtype) if isinstance(self.constant, Tensor) else self.constant
        y: Tensor = self.operation(x, constant) if self.first else self.operation(constant, x)
        return y


def _per_channel(constant: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether a constant, against a batch of `shape`, has one number for each channel, or one alone."""
    full = [1] * (len(shape) - constant.dim()) + list(constant.shape)
    return all(n == 1 for i, n in enumerate(full) if i != 1)


def _attribute(traced: fx.GraphModule, path: str) -> Any:
    found: Any = traced
    for name in path.split("."):
        found = getattr(found, name)
    return found.detach() if isinstance(found, Tensor) else found
