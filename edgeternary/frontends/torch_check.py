"""The last step of lowering: the graph and model.eval() compute the same samples, and are compared.

Lowering is exact by its rules; this finds what no rule thought of, such as a forward() that depends on the
number of samples. Samples: the example, both ends of the input's interval, drawn ends, and drawn codes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.frontends.torch_support import copied, exactly
from edgeternary.frontends.torch_values import Codes, Context, Lowered, channels_last_order
from edgeternary.ir import Graph, IntArray, Value
from edgeternary.ir.evaluate import evaluate, evaluate_steps
from edgeternary.nn.replace import replace_batch_norms
from edgeternary.nn.spiking import Spiking
from edgeternary.nn.streaming import Streaming

MACS = 100_000_000  # of the samples together
FEWEST, MOST = 4, 32
STEPS = 4  # of a spiking network

Forward = Callable[[Tensor], Tensor]


def sample_count(macs: int) -> int:
    """Samples that are compared: fewer of a large model."""
    return int(np.clip(MACS // max(macs, 1), FEWEST, MOST))


def draw(value: Value, shape: tuple[int, ...], count: int) -> Tensor:
    """Codes (count, *shape) of a value: all the lowest, all the highest, drawn ends, then drawn codes."""
    rng = np.random.default_rng(0)
    x = rng.integers(value.lo, value.hi + 1, (count, *shape))
    ends = rng.choice([value.lo, value.hi], x.shape)
    rare = np.where(rng.random(x.shape) < 0.1, ends, value.lo)
    x[2::4], x[4::4] = ends[2::4], rare[4::4]
    x[0], x[1] = value.lo, value.hi
    if value.type.name == "bipolar":
        x = np.where(x == 0, 1, x)
    return torch.from_numpy(x.astype(np.float32))


def with_example(x: Tensor, example: Tensor, value: Value) -> Tensor:
    """The example's first two samples in front, unless they are zeros that the input does not have."""
    first = example[:2]
    inside = value.lo <= first.min() and first.max() <= value.hi and value.type.contains(first.numpy())
    return torch.cat([first, x]) if inside else x


def channels_last(x: Tensor, lead: int, shape: tuple[int, ...]) -> IntArray:
    """Codes (*lead axes, C, ...) as int32 in the graph's shape."""
    codes = x.numpy().astype(np.int32)
    return np.moveaxis(codes, lead, -1).reshape(*codes.shape[:lead], *shape)


def first_difference(graph: Graph, forward: Forward, x: Tensor) -> int | None:
    """The first sample of x (samples, C, ...), or (samples, steps, C, ...) with states, that differs."""
    lead = 2 if graph.states else 1
    codes = channels_last(x, lead, graph.input.shape)
    if graph.states:
        outputs = evaluate_steps(graph, codes, [graph.output])[graph.output]
    else:
        outputs = evaluate(graph.ops, {graph.input.name: codes})[graph.output]
    logits = _logits(forward, x)
    wanted = np.moveaxis(outputs, -1, lead).astype(np.float32) * np.float32(graph.meta.logit_scale)
    if logits.size != wanted.size:
        return 0
    same = (wanted.reshape(len(x), -1) == logits.reshape(len(x), -1)).all(1)
    return None if same.all() else int(np.argmin(same))


def _logits(forward: Forward, x: Tensor) -> Any:
    """forward(x) in float64, sample by sample where it takes one only."""
    try:
        return _tensor(forward(x.clone()))
    except EdgeTernaryError:
        raise
    except Exception:  # whatever the model's own code raises for several samples
        return np.concatenate([_tensor(forward(part.clone())) for part in x.split(1)])


def _tensor(y: Any) -> Any:
    """The one tensor of a forward()'s result."""
    return next(leaf for leaf in tree_leaves(y) if isinstance(leaf, Tensor)).double().numpy()


@dataclass(frozen=True)
class Walk:
    """A lowered program: its constants by placeholder, and what became of each node."""

    program: torch.export.ExportedProgram
    constants: dict[str, Tensor]
    results: dict[fx.Node, Any]
    answer: Lowered


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
        found = first_difference(graph, forward, x)
    if found is not None:
        raise different(
            f"model {graph.name!r}",
            f"sample {found} of those that were tried differs after {x.shape[1]} steps or fewer",
            "use layers of edgeternary.nn, and report this model",
        )


def check_model(c: Context, walk: Walk, graph: Graph, model: nn.Module, example: Tensor) -> None:
    """EdgeTernaryError (code 4), naming the first layer that differs, unless every sample is the same."""
    x = draw(graph.input, tuple(example.shape[1:]), sample_count(graph.macs()))
    x = with_example(x, example, graph.input)
    with exactly():
        found = first_difference(graph, model, x)
        if found is None:
            return
        alone = x[found : found + 1]
        batch = first_difference(graph, model, alone) is None
    if batch:
        raise different(
            f"model {graph.name!r}",
            "its answers differ when samples come together in a batch, or with their number",
            "write forward() so that no sample's answer depends on another sample, or on how many there are",
        )
    c.node = node = _first_node(c, walk, alone)
    raise different(
        f"layer {c.path!r} ({type(c.module).__name__})",
        f"sample {found} of those that were tried differs first in {node.name!r}",
        "use a layer of edgeternary.nn in its place, and report this model",
    )


def different(what: str, why: str, remedy: str) -> EdgeTernaryError:
    """The refusal of a graph that is not the model."""
    return EdgeTernaryError(f"{what} is not lowered exactly", why, remedy, NOT_BIT_EXACT)


def _first_node(c: Context, walk: Walk, x: Tensor) -> fx.Node:
    """The first node whose integers differ for one sample; the program's end if it is the scale."""
    graph_input = next(iter(c.values.values()))
    codes = channels_last(x, 1, graph_input.shape)
    taps = evaluate(c.ops, {graph_input.name: codes})  # before any pass: every node has its value
    values: dict[fx.Node, Any] = {}
    for node in walk.program.graph.nodes:
        if node.op == "placeholder":
            constant = walk.constants.get(node.name)
            values[node] = x.clone() if constant is None else constant.clone()
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
