"""The last step of lowering: the graph and model.eval() compute the same samples, and are compared.

Lowering is exact by its rules; this finds what no rule thought of, such as a forward() that depends on the
number of samples. Samples: the example, both ends of the input's interval, drawn ends, and drawn codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.frontends.layout import channels_last_order
from edgeternary.frontends.torch_support import copied, exactly
from edgeternary.frontends.torch_values import Codes, Context
from edgeternary.ir import Graph, IntArray, Value
from edgeternary.ir.evaluate import evaluate, evaluate_steps
from edgeternary.ir.ports import join
from edgeternary.nn.replace import replace_batch_norms
from edgeternary.nn.spiking import Spiking
from edgeternary.nn.streaming import Streaming

MACS = 100_000_000  # of the samples together
FEWEST, MOST = 4, 32
STEPS = 4  # of a spiking network

Forward = Callable[..., Any]  # the tensors of the inputs in, a structure of tensors out


def sample_count(macs: int) -> int:
    """Samples that are compared: fewer of a large model."""
    return int(np.clip(MACS // max(macs, 1), FEWEST, MOST))


def draw(value: Value, shape: tuple[int, ...], count: int, seed: int = 0) -> Tensor:
    """Codes (count, *shape) of a value: all the lowest, all the highest, drawn ends, then drawn codes."""
    rng = np.random.default_rng(seed)
    x = rng.integers(value.lo, value.hi + 1, (count, *shape))
    ends = rng.choice([value.lo, value.hi], x.shape)
    rare = np.where(rng.random(x.shape) < 0.1, ends, value.lo)
    x[2::4], x[4::4] = ends[2::4], rare[4::4]
    x[0], x[1] = value.lo, value.hi
    if value.type.name == "bipolar":
        x = np.where(x == 0, 1, x)
    return torch.from_numpy(x.astype(np.float32))


def with_examples(x: Sequence[Tensor], examples: Sequence[Tensor], values: Sequence[Value]) -> list[Tensor]:
    """The examples' first two samples in front, unless they are zeros that an input does not have."""
    first = [example[:2] for example in examples]
    inside = all(
        value.lo <= one.min() and one.max() <= value.hi and value.type.contains(one.numpy())
        for one, value in zip(first, values, strict=True)
    )
    return [torch.cat([a, b]) for a, b in zip(first, x, strict=True)] if inside else list(x)


def channels_last(graph: Graph, value: Value, x: Tensor, lead: int) -> IntArray:
    """Codes of an input (*lead axes, C, ...) as int32 in the graph's shape."""
    codes = x.numpy().astype(np.int32)
    if value.name not in graph.meta.info.get("torch_channels_last", "").split():
        codes = np.moveaxis(codes, lead, -1)
    return codes.reshape(*codes.shape[:lead], *value.shape)


def first_difference(graph: Graph, forward: Forward, x: Sequence[Tensor]) -> int | None:
    """The first sample of x that differs; x: of each input (samples, C, ...), or (samples, steps, C, ...)."""
    lead, samples = 2 if graph.states else 1, len(x[0])
    codes = {
        value.name: channels_last(graph, value, tensor, lead)
        for value, tensor in zip(graph.inputs, x, strict=True)
    }
    if graph.states:
        outputs = evaluate_steps(graph, join(graph.inputs, codes), graph.outputs)
    else:
        outputs = evaluate(graph.ops, dict(codes))
    found = _logits(forward, x)
    if len(found) != len(graph.outputs):
        return 0
    same = np.ones(samples, bool)
    for name, logits in zip(graph.outputs, found, strict=True):
        scale = np.float32(graph.meta.of_output(name).one_scale("a torch model"))
        as_torch = name in graph.meta.info.get("torch_order", "").split()
        placed = outputs[name] if as_torch else np.moveaxis(outputs[name], -1, lead)
        wanted = placed.astype(np.float32) * scale
        if logits.size != wanted.size:
            return 0
        same &= (wanted.reshape(samples, -1) == logits.reshape(samples, -1)).all(1)
    return None if same.all() else int(np.argmin(same))


def _logits(forward: Forward, x: Sequence[Tensor]) -> list[Any]:
    """The tensors of forward(*x) in float64, sample by sample where it takes one only."""
    try:
        return _tensors(forward(*(tensor.clone() for tensor in x)))
    except EdgeTernaryError:
        raise
    except Exception:  # whatever the model's own code raises for several samples
        alone = zip(*(tensor.split(1) for tensor in x), strict=True)
        parts = [_tensors(forward(*(one.clone() for one in sample))) for sample in alone]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _tensors(y: Any) -> list[Any]:
    return [leaf.double().numpy() for leaf in tree_leaves(y) if isinstance(leaf, Tensor)]


@dataclass(frozen=True)
class Walk:
    """A lowered program: its constants by placeholder, and what became of each node."""

    program: torch.export.ExportedProgram
    constants: dict[str, Tensor]
    results: dict[fx.Node, Any]
    answer: Any  # the structure that forward() returns, of lowered values


def check_stream(step: Graph, model: Streaming) -> None:
    """EdgeTernaryError (code 4) unless the step gives what model.over does, from the first frame on."""
    net = copied(model.net)
    replace_batch_norms(net)
    frames = int(np.clip(MACS // (FEWEST * max(step.macs(), 1) * model.window), 3, model.window + 2))
    x = draw(step.input, (frames, step.input.size), FEWEST)
    whole = Streaming(net, model.window, model.fill)
    _check_steps(step, lambda x: whole.over(x.transpose(1, 2)), x)


def check_spiking(graph: Graph, model: Spiking, shape: tuple[int, ...]) -> None:
    """EdgeTernaryError (code 4) unless a few steps of the graph give what model.over does."""
    count = sample_count(graph.macs() * STEPS)
    _check_steps(graph, model.over, draw(graph.input, (STEPS, *shape), count))


def _check_steps(graph: Graph, forward: Forward, x: Tensor) -> None:
    with exactly():
        found = first_difference(graph, forward, [x])
    if found is not None:
        raise different(
            f"model {graph.name!r}",
            f"sample {found} of those that were tried differs after {x.shape[1]} steps or fewer",
            "use layers of edgeternary.nn, and report this model",
        )


def check_model(c: Context, walk: Walk, graph: Graph, model: nn.Module, examples: Sequence[Tensor]) -> None:
    """EdgeTernaryError (code 4), naming the first layer that differs, unless every sample is the same."""
    count = sample_count(graph.macs())
    each = enumerate(zip(graph.inputs, examples, strict=True))
    x = [draw(value, tuple(example.shape[1:]), count, seed) for seed, (value, example) in each]
    x = with_examples(x, examples, graph.inputs)
    with exactly():
        found = first_difference(graph, model, x)
        if found is None:
            return
        alone = [tensor[found : found + 1] for tensor in x]
        batch = first_difference(graph, model, alone) is None
    if batch:
        raise different(
            f"model {graph.name!r}",
            "its answers differ when samples come together in a batch, or with their number",
            "write forward() so that no sample's answer depends on another sample, or on how many there are",
        )
    c.node = node = _first_node(c, walk, graph, alone)
    raise different(
        f"layer {c.path!r} ({type(c.module).__name__})",
        f"sample {found} of those that were tried differs first in {node.name!r}",
        "use a layer of edgeternary.nn in its place, and report this model",
    )


def different(what: str, why: str, remedy: str) -> EdgeTernaryError:
    """The refusal of a graph that is not the model."""
    return EdgeTernaryError(f"{what} is not lowered exactly", why, remedy, NOT_BIT_EXACT)


def _first_node(c: Context, walk: Walk, graph: Graph, x: Sequence[Tensor]) -> fx.Node:
    """The first node whose integers differ for one sample; the program's end if it is the scale."""
    given = dict(zip(walk.program.graph_signature.user_inputs, x, strict=True))
    inputs = list(c.values.values())[: len(x)]
    codes = {v.name: channels_last(graph, v, tensor, 1) for v, tensor in zip(inputs, x, strict=True)}
    taps = evaluate(c.ops, codes)  # before any pass: every node has its value
    values: dict[fx.Node, Any] = {}
    for node in walk.program.graph.nodes:
        if node.op == "placeholder":
            values[node] = (walk.constants | given)[node.name].clone()
            continue
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda n: values[n])
        if node.op == "output":
            break
        target: Any = node.target
        values[node] = target(*args, **kwargs)
        result = walk.results.get(node)
        if isinstance(result, Codes) and not _same(result, values[node], taps[result.name]):
            break
    return node


def _same(result: Codes, y: Tensor, tap: IntArray) -> bool:
    order = channels_last_order(result.shape) if result.order is None else result.order
    wanted = y.reshape(-1).double().numpy()
    return wanted.size == tap.size and bool(np.array_equal(tap.reshape(-1)[order], wanted))
