"""A PyTorch model as an integer graph, through torch.export.

    graph = lower(model, example, name="net")

The exported program is walked once. Operators that make integers are in torch_layers.LAYERS. Element-wise
float functions between two of them (batch-norm, ReLU, a scale) are collected and, at the next quantiser,
evaluated by torch itself on integers, which gives thresholds: nothing is recomputed by other formulas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves, tree_unflatten

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_check import Walk, check_model, check_spiking, check_stream
from edgeternary.frontends.torch_dropout import DROPOUTS, dropout
from edgeternary.frontends.torch_input import Input, read_inputs
from edgeternary.frontends.torch_layers import LAYERS, add
from edgeternary.frontends.torch_nodes import (
    CHECKS,
    ELEMENTWISE,
    UNCHANGED,
    check_call,
    check_constant,
    check_kind,
    check_result,
    check_writes,
    same_dtype,
    unknown,
)
from edgeternary.frontends.torch_output import ends
from edgeternary.frontends.torch_support import check_dtypes, check_modules, codes_given, copied, exactly
from edgeternary.frontends.torch_values import Codes, Context, Link, Lowered, Misplaced, Pending
from edgeternary.ir import Graph, Meta, OutputMeta
from edgeternary.nn.example import UINT8, check_example
from edgeternary.nn.replace import replace_batch_norms
from edgeternary.nn.spiking import Spiking, set_steps
from edgeternary.nn.streaming import Streaming
from edgeternary.passes import optimize
from edgeternary.passes.stream import stream

_aten = torch.ops.aten
BINARY = ("rate", "latency")  # codings of edgeternary.nn.Spiking


def lower(
    model: nn.Module,
    example: Tensor | Sequence[Tensor],
    *,
    name: str = "model",
    input_type: str | Mapping[str, str] | None = None,
    input_range: tuple[int, int] | Mapping[str, tuple[int, int]] | None = None,
    input_scale: float | Sequence[float] | Mapping[str, float | Sequence[float]] = 1.0,
    input_zero: int | Sequence[int] | Mapping[str, int | Sequence[int]] = 0,
    labels: Sequence[str] | Mapping[str, Sequence[str]] = (),
    check: bool = True,
) -> Graph:
    """Lowers model.eval() to a graph that gives the same integers for every input, ties included.

    example: one batch of raw integer codes that the input has, or of zeros, (N, C, H, W), (N, C, L) or (N,
    n); the graph's input is (H, W, C), (1, L, C) or (n,) of `input_type`, restricted to `input_range`.
    For a forward() with several arguments the example is a tuple of tensors; the inputs have the names of the
    arguments, and the input_... may be mappings by them. Where forward() returns several tensors, the outputs
    have the names of the keys of a dict, or output0, output1, ...; labels are then a mapping.
    input_type: "uint8" if it is not given; for a model that nn.convert made, what its InputSpec says.
    input_scale and input_zero say what a code means, for edgeternary.quantize: one number, or one for each
    channel. Layers keep their module paths as names. An edgeternary.nn.Spiking becomes one step of its net,
    with states; its example is what the model takes, and where its coding makes spikes, the input is binary,
    without a scale. An edgeternary.nn.Streaming becomes one step that reads a frame; its example is a window.
    The model itself is not changed; plain torch batch-norms are replaced by edgeternary.nn.BatchNorm in a
    copy, and meta.info["replaced"] lists them. Channels that are constant or that nobody reads leave the
    graph, and meta.info["dead_channels"] names them. The logits are output * meta.logit_scale.

    check: compare graph and model on 4 to 32 samples at the end, fewer of a large model.

    EdgeTernaryError, naming the layer, for anything without an exact integer form.
    """
    check_dtypes(model)
    if isinstance(model, Streaming):
        options: dict[str, Any] = {
            "name": name, "input_type": input_type, "input_range": input_range, "input_scale": input_scale,
            "input_zero": input_zero, "labels": labels, "check": check,
        }  # fmt: skip
        step = stream(lower(model.net, example, **options), model.fill)
        if check:
            check_stream(step, model)
        return step
    whole = model
    if isinstance(model, Spiking):
        example = check_example(example, UINT8 if model.coding in BINARY else None)
        if model.coding in BINARY:
            input_type, input_range, input_scale, input_zero = "binary", None, 1.0, 0  # spikes are no values
        example = model.encode(example[:1])[:, 0]
        model = model.net
    model = copied(model)
    set_steps(model, 1)
    replaced = replace_batch_norms(model)
    check_modules(model)
    given = {
        "input_type": input_type, "input_range": input_range, "input_scale": input_scale,
        "input_zero": input_zero,
    }  # fmt: skip
    inputs = read_inputs(model, example, given)
    examples = [one.example for one in inputs]
    with exactly():
        program = _export(model, examples)
        inputs, (context, walk, end) = _placed(model, program, inputs, labels)
    for one in inputs:
        one.check()
    values = [one.value for one in inputs]
    info = {"replaced": ", ".join(replaced)} if replaced else {}
    if end.as_torch:
        info["torch_order"] = " ".join(end.as_torch)
    meta = _meta(inputs, end.metas, info)
    graph = optimize(Graph(name, values, end.ops, list(end.metas), end.states, meta))
    if check and isinstance(whole, Spiking):
        check_spiking(graph, Spiking(model, whole.steps, whole.coding), inputs[0].shape)
    elif check:
        check_model(context, walk, graph, model, examples)
    return graph


def _placed(
    model: nn.Module, program: torch.export.ExportedProgram, given: list[Input], labels: Any
) -> tuple[list[Input], tuple[Context, Walk, Any]]:
    """The inputs in the layout that the model takes, as they are or permuted, and the walk."""
    first: Misplaced | None = None
    said, last = [one.said for one in given], [one.channels_last() for one in given]
    for inputs in (said, *([given] if said != given else []), last):
        try:
            return inputs, _walked(model, program, inputs, labels)
        except Misplaced as error:
            first = first or error
    assert first is not None
    raise first


def _walked(
    model: nn.Module, program: torch.export.ExportedProgram, inputs: Sequence[Input], labels: Any
) -> tuple[Context, Walk, Any]:
    context = Context(model, {one.value.name: one.value for one in inputs})
    walk = _walk(context, program, [one.codes for one in inputs])
    return context, walk, ends(context, walk.answer, labels)


def _meta(inputs: Sequence[Input], outputs: Mapping[str, OutputMeta], info: dict[str, str]) -> Meta:
    """For one input and output the plain fields, for several those by name."""
    shapes = {one.value.name: " ".join(map(str, one.shape)) for one in inputs}
    fields: dict[str, Any] = {}
    if len(inputs) == 1:
        (one,) = inputs
        fields |= {"input_scale": one.meta.scale, "input_zero": one.meta.zero}
        info = {"torch_shape": shapes[one.value.name], **info}
    else:
        fields["inputs"] = {one.value.name: one.meta for one in inputs}
        info = {**{f"torch_shape:{name}": shape for name, shape in shapes.items()}, **info}
    last = [one.value.name for one in inputs if one.last]
    if last:
        info = {"torch_channels_last": " ".join(last), **info}
    if len(outputs) == 1:
        (answer,) = outputs.values()
        fields |= {"logit_scale": answer.logit_scale, "labels": answer.labels}
    else:
        fields["outputs"] = dict(outputs)
    return Meta(info=info, **fields)


def _export(model: nn.Module, examples: Sequence[Tensor]) -> torch.export.ExportedProgram:
    try:
        with codes_given(model):
            return torch.export.export(model, tuple(example[:1] for example in examples), strict=False)
    except EdgeTernaryError:
        raise
    except Exception as error:  # export raises whatever the model's own code does
        raise EdgeTernaryError(
            "the model cannot be exported",
            f"torch.export says: {(str(error).strip() or type(error).__name__).splitlines()[0]}",
            "forward() must take one tensor, of the example's shape (a tuple: several), and must not branch "
            "on its values",
        ) from error


def _walk(context: Context, program: torch.export.ExportedProgram, inputs: Sequence[Codes]) -> Walk:
    signature = program.graph_signature
    given = dict(zip(signature.user_inputs, inputs, strict=True))
    targets = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    tensors = {**program.state_dict, **program.constants}
    constants = {node: tensors[path].detach() for node, path in targets.items()}
    check_writes(context, program)
    results: dict[fx.Node, Any] = {}
    for node in program.graph.nodes:
        context.node = node
        if node.op == "placeholder":
            results[node] = constants[node.name] if node.name in constants else given[node.name]
        elif node.op == "output":
            outputs = fx.node.map_arg(node.args[0], lambda n: results[n])
            answer = tree_unflatten(list(outputs), program.call_spec.out_spec)
            return Walk(program, constants, results, answer)
        elif node.target not in CHECKS:
            check_kind(context, node)
            results[node] = _node(context, node, results)
    raise AssertionError("an exported program ends in an output node")


def _node(c: Context, node: fx.Node, results: dict[fx.Node, Any]) -> Lowered:
    args: Any = fx.node.map_arg(node.args, lambda n: results[n])
    kwargs: Any = fx.node.map_arg(node.kwargs, lambda n: results[n])
    live = [a for a in tree_leaves((args, kwargs)) if isinstance(a, (Codes, Pending))]
    try:
        result = _lowered(c, node, args, kwargs, live)
    except EdgeTernaryError:
        raise
    except Exception as error:  # torch raises whatever its operators do not accept
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise c.refuse(
            f"{node.target} cannot be computed: {said}", "use the layers of edgeternary.nn"
        ) from error
    check_result(c, node, result)
    return result


def _lowered(c: Context, node: fx.Node, args: Any, kwargs: Any, live: list[Codes | Pending]) -> Lowered:
    target: Any = node.target
    if target in DROPOUTS:
        return dropout(c, *args)
    if not live:
        check_constant(c, target, args)
        return target(*args, **kwargs)
    if target in LAYERS or target in UNCHANGED or target in ELEMENTWISE:
        check_call(c, kwargs)
    if target in LAYERS:
        return LAYERS[target](c, *args)
    if target in UNCHANGED or (target is _aten.to.dtype and same_dtype(node)):
        return live[0]
    if target in ELEMENTWISE:
        if len(live) == 1:
            return _pend(c, target, args, live[0])
        if target is _aten.add.Tensor and all(isinstance(a, Codes) for a in live):
            return add(c, args[0], args[1])
    raise unknown(c, target)


def _pend(c: Context, target: Any, args: Any, x: Codes | Pending) -> Pending:
    place = next(i for i, a in enumerate(args) if a is x)

    def apply(t: Tensor) -> Tensor:
        return target(*args[:place], t, *args[place + 1 :])

    numbers = [a for a in args if a is not x and (not isinstance(a, Tensor) or a.numel() == 1)]
    factor = target is _aten.mul.Tensor and len(numbers) == 1
    link = Link(apply, c.path, ELEMENTWISE[target](args, place), factor)
    return Pending(x.base, (*x.chain, link)) if isinstance(x, Pending) else Pending(x, (link,))
