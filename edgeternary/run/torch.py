"""PyTorch itself as an executor: the answer that every other one is compared with, computed from the torch
model.

options["torch_model"]  the nn.Module that the graph was lowered from; without it the zoo's model of that name
is taken. The graph gives shapes and names only, never a number.
"""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from edgeternary import late
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.ir.ports import join, joined_shape, split
from edgeternary.nn.spiking import Spiking
from edgeternary.passes.dead_channels import lost_channels
from edgeternary.run.result import Result

BATCH = 100
MIXING = {"dense", "compare", "lut", "group_count"}  # their flat outputs are no flattened maps


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run the torch model in eval mode on codes (samples, *graph.input.shape).

    A graph with states takes (samples, steps, *shape), and its model is an edgeternary.nn.Spiking.
    taps: the output of each module whose path is the name of a value of the graph, as integers, channels
    last. options: torch_model, batch (samples at a time, 100), progress. stats: torch (its version).
    """
    model = _model(graph, options)
    training = model.training
    model.eval()
    caught: list[dict[str, np.ndarray]] = []
    hooks = [
        module.register_forward_hook(_catcher(graph, name, caught))
        for name, module in (model.net if isinstance(model, Spiking) else model).named_modules()
        if taps and name in graph.values and name not in graph.outputs
    ]
    batch, progress = int(str(options.get("batch", BATCH))), options.get("progress")
    outputs: list[np.ndarray] = []
    try:
        for start in range(0, max(len(inputs), 1), batch):
            caught.append({})
            with torch.no_grad(), _exact():
                outputs.append(_answers(graph, model, inputs[start : start + batch]))
            if callable(progress):
                progress(min(start + batch, len(inputs)), len(inputs))
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    result = np.concatenate(outputs)
    found = {name: np.concatenate([part[name] for part in caught]) for name in caught[0]}
    if graph.states:
        found = {name: value.reshape(*inputs.shape[:2], *value.shape[1:]) for name, value in found.items()}
    if taps:
        found |= split(graph.output_values, result)
    return Result(outputs=result, taps=found, stats={"torch": torch.__version__})


@contextmanager
def _exact() -> Iterator[None]:
    """Without NNPACK and autocast, whose sums are rounded: layers of torch itself do not switch them off."""
    with torch.backends.nnpack.flags(enabled=False), torch.autocast("cpu", enabled=False):
        yield


def _answers(graph: Graph, model: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """The output's integers for a batch; all steps of it at once for a graph with states."""
    if not graph.states:
        tensors = [
            torch.from_numpy(channels_first(graph, value, codes))
            for value, codes in zip(graph.inputs, split(graph.inputs, inputs).values(), strict=True)
        ]
        return _integers(graph, model(*tensors))
    if not isinstance(model, Spiking):
        raise EdgeTernaryError(
            f"the torch model of {graph.name!r} is one step, its graph has states",
            "nothing says which of its tensors live between steps",
            "give the edgeternary.nn.Spiking that it was lowered from",
        )
    lead = inputs.shape[:2]
    codes = torch.from_numpy(channels_first(graph, graph.input, inputs.reshape(-1, *graph.input.shape)))
    if 0 in lead:
        return np.zeros((*lead, *joined_shape(graph.output_values)), np.int32)
    answers = model.over(codes.reshape(*lead, *codes.shape[1:]))
    logits = tree_map(lambda y: y.flatten(0, 1), answers)
    return _integers(graph, logits).reshape(*lead, *joined_shape(graph.output_values))


def _model(graph: Graph, options: Mapping[str, object]) -> nn.Module:
    given = options.get("torch_model")
    if isinstance(given, nn.Module):
        return given
    checkpoint = options.get("checkpoint")
    shipped = late.zoo_model(graph.name, checkpoint if isinstance(checkpoint, str | os.PathLike) else None)
    if isinstance(shipped, nn.Module):
        return shipped
    raise EdgeTernaryError(
        f"the torch model of {graph.name!r} is not known",
        "the torch executor computes with the PyTorch model, not with the graph",
        'pass it: options={"torch_model": model}, or leave torch out of --on',
    )


def channels_first(graph: Graph, value: Value, inputs: np.ndarray) -> np.ndarray:
    """Codes of an input (samples, H, W, C) as float32 (samples, C, H, W), or as lowering noted the shape."""
    x = np.asarray(inputs, np.float32)
    if value.name in graph.meta.info.get("torch_channels_last", "").split():
        return x.reshape(len(x), *_noted(graph, value))
    # a copy has strides of channels first, which torch goes by, with one channel too; ascontiguousarray not
    x = x.transpose(0, 3, 1, 2).copy() if x.ndim == 4 else x
    noted = _noted(graph, value)
    return x.reshape(len(x), *noted) if math.prod(noted) == value.size else x


def _noted(graph: Graph, value: Value) -> tuple[int, ...]:
    """The shape of a sample in torch, as lowering noted it."""
    key = "torch_shape" if len(graph.inputs) == 1 else f"torch_shape:{value.name}"
    return tuple(int(n) for n in graph.meta.info.get(key, "").split() if n.isdigit())


def channels_last(graph: Graph, name: str, y: np.ndarray) -> np.ndarray:
    """What torch computed for value `name`, in the graph's order."""
    lost = lost_channels(graph)
    shape, here = graph.values[name].shape, ~lost[name] if name in lost else slice(None)
    if name in graph.meta.info.get("torch_order", "").split():
        return y.reshape(len(y), *shape)
    if len(shape) == 3:
        return np.moveaxis(y, 1, -1).reshape(len(y), *shape[:2], -1)[..., here]
    before = _before_flatten(graph, name, lost)
    if before is not None:
        height, width, channels = before
        y = np.moveaxis(y.reshape(len(y), channels, height, width), 1, -1)
    return y.reshape(len(y), *shape[:-1], -1)[..., here]


def _before_flatten(graph: Graph, name: str, lost: dict[str, np.ndarray]) -> tuple[int, ...] | None:
    """Shape (H, W, C) of the map that the flat value `name` is the flattening of, if any; C as in torch."""
    while name not in {value.name for value in graph.inputs}:
        op = graph.op(name)
        if op.kind in MIXING:
            return None
        name = op.inputs[0]
        if len(shape := graph.values[name].shape) == 3:
            return (*shape[:2], len(lost.get(name, range(shape[2]))))
    return None


def _catcher(graph: Graph, name: str, caught: list[dict[str, np.ndarray]]) -> Any:
    """A hook that keeps integer outputs; the first one of a module that is used more than once."""
    value, lost = graph.values[name], lost_channels(graph).get(name)
    size = value.size if lost is None else value.size // value.channels * len(lost)

    def hook(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        codes = output.detach().double().numpy()
        sized = math.prod(codes.shape[1:]) == size
        if sized and name not in caught[-1] and np.array_equal(codes, np.rint(codes)):
            caught[-1][name] = channels_last(graph, name, codes).astype(np.int32)

    return hook


def _integers(graph: Graph, answer: Any) -> np.ndarray:
    """Accumulators of all outputs, joined, from the structure of tensors that forward() returned."""
    leaves = [leaf for leaf in tree_leaves(answer) if isinstance(leaf, Tensor)]
    if len(leaves) != len(graph.outputs):
        raise EdgeTernaryError(
            f"the torch model of {graph.name!r} returns {len(leaves)} tensors",
            f"the graph has {len(graph.outputs)} outputs",
            "lower the model again",
        )
    named = zip(graph.outputs, leaves, strict=True)
    return join(graph.output_values, {name: _accumulators(graph, name, leaf) for name, leaf in named})


def _accumulators(graph: Graph, name: str, logits: Tensor) -> np.ndarray:
    """The integers of one output from logits = accumulators * logit_scale, proven by multiplying again."""
    scale = np.float32(graph.meta.of_output(name).one_scale("the torch executor"))
    values = logits.detach().numpy()
    codes = np.rint(values.astype(np.float64) / np.float64(scale))
    if not np.array_equal(codes.astype(np.float32) * scale, values.astype(np.float32)):
        raise EdgeTernaryError(
            f"torch's logits of {graph.name!r} are no multiples of the graph's logit scale {scale}",
            "the graph was lowered from another model, or the model was trained further",
            "lower the model again",
        )
    return channels_last(graph, name, codes).astype(np.int32)
