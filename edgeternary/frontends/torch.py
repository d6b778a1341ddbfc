"""A PyTorch model as an integer graph, through torch.export.

    graph = lower(model, example, name="net")

The exported program is walked once. Operators that make integers are in torch_layers.LAYERS. Element-wise
float functions between two of them (batch-norm, ReLU, a scale) are collected and, at the next quantiser,
evaluated by torch itself on integers, which gives thresholds: nothing is recomputed by other formulas.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_input import one_or_each
from edgeternary.frontends.torch_layers import LAYERS, add
from edgeternary.frontends.torch_support import SUPPORTED, check_modules
from edgeternary.frontends.torch_values import Codes, Context, Lowered, Pending, graph_shape
from edgeternary.ir import Graph, Meta, Value, parse
from edgeternary.nn.example import UINT8, check_example
from edgeternary.nn.levels import Levels
from edgeternary.nn.replace import replace_batch_norms
from edgeternary.nn.spiking import Spiking, set_steps
from edgeternary.nn.streaming import Streaming
from edgeternary.passes import optimize
from edgeternary.passes.stream import stream

_aten, _ours = torch.ops.aten, torch.ops.edgeternary
UNCHANGED = {
    _aten.dropout.default, _aten.feature_dropout.default, _aten.alias.default, _aten.contiguous.default,
    _aten.detach.default, _aten.clone.default,
}  # fmt: skip
ELEMENTWISE = {
    _ours.batch_norm.default, _ours.rprelu.default,
    _aten.relu.default, _aten.relu_.default, _aten.relu6.default, _aten.hardtanh.default,
    _aten.hardtanh_.default, _aten.leaky_relu.default, _aten.mul.Tensor, _aten.add.Tensor, _aten.sub.Tensor,
    _aten.div.Tensor, _aten.neg.default, _aten.clamp.default, _aten.to.dtype, _aten.floor.default,
    _aten.round.default,
}  # fmt: skip
BINARY = ("rate", "latency")  # codings of edgeternary.nn.Spiking
CHECKS = {_aten._assert_tensor_metadata.default}


def lower(
    model: nn.Module,
    example: Tensor,
    *,
    name: str = "model",
    input_type: str = "uint8",
    input_range: tuple[int, int] | None = None,
    input_scale: float | Sequence[float] = 1.0,
    input_zero: int | Sequence[int] = 0,
    labels: Sequence[str] = (),
) -> Graph:
    """Lowers model.eval() to a graph that gives the same integers for every input, ties included.

    example: one batch of raw integer codes that the input has, or of zeros, (N, C, H, W), (N, C, L) or (N,
    n); the graph's input is (H, W, C), (1, L, C) or (n,) of `input_type`, restricted to `input_range`.
    input_scale and input_zero say what a code means, for edgeternary.quantize: one number, or one for each
    channel. Layers keep their module paths as names. An edgeternary.nn.Spiking becomes one step of its net,
    with states; its example is what the model takes, and where its coding makes spikes, the input is binary.
    An edgeternary.nn.Streaming becomes one step that reads a frame; its example is a window. The model itself
    is not changed; plain torch batch-norms are replaced by edgeternary.nn.BatchNorm in a copy, and
    meta.info["replaced"] lists them. The logits are output * meta.logit_scale.

    EdgeTernaryError, naming the layer, for anything without an exact integer form.
    """
    if isinstance(model, Streaming):
        options: dict[str, Any] = {
            "name": name, "input_type": input_type, "input_range": input_range, "input_scale": input_scale,
            "input_zero": input_zero, "labels": labels,
        }  # fmt: skip
        return stream(lower(model.net, example, **options))
    if isinstance(model, Spiking):
        example = check_example(example, UINT8 if model.coding in BINARY else None)
        if model.coding in BINARY:
            input_type, input_range = "binary", None
        example = model.eval().encode(example[:1])[:, 0]
        model = model.net
    model = copy.deepcopy(model).eval()
    set_steps(model, 1)
    replaced = replace_batch_norms(model)
    check_modules(model)
    kind = parse(input_type)
    lo, hi = input_range or (kind.lo, kind.hi)
    example = check_example(example, Levels(input_type, lo, hi, 2 if kind.name == "bipolar" else 1))
    shape = tuple(example.shape[1:])
    value = Value("input", graph_shape(shape), kind, lo, hi)
    context = Context(model, {value.name: value})
    with torch.no_grad():
        result = _walk(context, _export(model, example[:1]), Codes(value.name, shape))
        output, scale = _output(context, result)
    info = {"torch_shape": " ".join(map(str, shape))}
    if replaced:
        info["replaced"] = ", ".join(replaced)
    meta = Meta(
        input_scale=one_or_each(input_scale, float), input_zero=one_or_each(input_zero, int),
        logit_scale=scale, labels=tuple(labels), info=info,
    )  # fmt: skip
    return optimize(Graph(name, value, tuple(context.ops), output, tuple(context.states), meta))


def _export(model: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    try:
        return torch.export.export(model, (example,), strict=False)
    except EdgeTernaryError:
        raise
    except Exception as error:  # export raises whatever the model's own code does
        raise EdgeTernaryError(
            "the model cannot be exported",
            f"torch.export says: {(str(error).strip() or type(error).__name__).splitlines()[0]}",
            "forward() must take one tensor, of the example's shape, and must not branch on its values",
        ) from error


def _walk(context: Context, program: torch.export.ExportedProgram, x: Codes) -> Lowered:
    signature = program.graph_signature
    constants = {**program.state_dict, **program.constants}
    targets = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    results: dict[fx.Node, Any] = {}
    for node in program.graph.nodes:
        context.node = node
        if node.op == "placeholder":
            results[node] = constants[targets[node.name]].detach() if node.name in targets else x
        elif node.op == "output":
            outputs = fx.node.map_arg(node.args[0], lambda n: results[n])
            if len(outputs) != 1:
                raise EdgeTernaryError(
                    "the model has several outputs", "a graph has exactly one", "return one tensor"
                )
            return outputs[0]
        elif node.target not in CHECKS:
            results[node] = _node(context, node, results)
    raise AssertionError("an exported program ends in an output node")


def _node(context: Context, node: fx.Node, results: dict[fx.Node, Any]) -> Lowered:
    args: Any = fx.node.map_arg(node.args, lambda n: results[n])
    kwargs = fx.node.map_arg(node.kwargs, lambda n: results[n])
    flat = [a for arg in args for a in (arg if isinstance(arg, (list, tuple)) else (arg,))]
    live = [a for a in flat if isinstance(a, (Codes, Pending))]
    target: Any = node.target
    if not live:
        return target(*args, **kwargs)
    if target in LAYERS:
        return LAYERS[target](context, *args, **kwargs)
    if target in UNCHANGED:
        return live[0]
    if target in ELEMENTWISE:
        if len(live) == 1:
            return _pend(context, target, args, kwargs, live[0])
        if target is _aten.add.Tensor and all(isinstance(a, Codes) for a in live):
            return add(context, args[0], args[1])
    raise context.refuse(
        f"{str(target).removesuffix('.default')} has no exact integer form. Supported are {SUPPORTED}",
        "use one of these, or convert the model by edgeternary.nn.convert",
    )


def _pend(context: Context, target: Any, args: Any, kwargs: Any, x: Codes | Pending) -> Pending:
    place = next(i for i, a in enumerate(args) if a is x)

    def apply(t: Tensor) -> Tensor:
        return target(*args[:place], t, *args[place + 1 :], **kwargs)

    before = x if isinstance(x, Pending) else Pending(x, (), ())
    return replace(before, chain=(*before.chain, apply), layers=(*before.layers, context.path))


def _output(context: Context, result: Lowered) -> tuple[str, float]:
    """Name of the output value and the logit scale: the chain after it must be one positive factor."""
    if isinstance(result, Codes) and result.order is None:
        return result.name, 1.0
    if isinstance(result, Pending):
        base = result.base
        probe = (
            torch.arange(-2.0, 3.0)[:, None]
            .expand(5, base.channels)
            .reshape(5, -1, *[1] * (len(base.shape) - 1))
        )
        y = result(probe)
        scale = float(y[3].flatten()[0])
        if len(result.chain) == 1 and y.shape == probe.shape and scale > 0 and torch.equal(y, probe * scale):
            return base.name, scale
        raise EdgeTernaryError(
            f"the model ends in the float layer {result.layers[-1]!r}",
            "the output must be integers times one scale that all classes share, with no batch-norm after",
            "end the model with edgeternary.nn.Output, or with an Activation",
        )
    raise EdgeTernaryError(
        "the model's output is no integer value that a graph can name",
        "it is a constant, or a flattened map whose order differs from channels-last",
        "end the model with edgeternary.nn.Output",
    )
