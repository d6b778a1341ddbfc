"""What each call of the float model gives for the example: shape and a sample of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from edgeternary.nn.converting.report import Refusal
from edgeternary.nn.converting.tracer import WHERE

VALUES = 2048  # of each channel


@dataclass(frozen=True)
class Seen:
    """shape (N, ...) of a tensor, and values (C, n) of each channel; `sample` says which."""

    shape: tuple[int, ...]
    values: Tensor


def sample(x: Tensor) -> Tensor:
    """Up to VALUES values of each channel, (C, n): the same places for every tensor of one shape."""
    rows = x.reshape(1, -1) if x.dim() < 2 else x.transpose(0, 1).reshape(x.shape[1], -1)
    if rows.shape[1] > VALUES:
        rows = rows[:, torch.linspace(0, rows.shape[1] - 1, VALUES).long()]
    return rows.detach().float().clone()


@torch.no_grad()
def observed(traced: fx.GraphModule, inputs: Sequence[Tensor]) -> dict[fx.Node, Seen]:
    """What each node gives in eval mode."""
    found: dict[fx.Node, Seen] = {}
    at: list[fx.Node] = []

    class Watched(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            at[:] = [n]
            y = super().run_node(n)
            if isinstance(y, Tensor):
                found[n] = Seen(tuple(y.shape), sample(y))
            return y

    training = traced.training
    try:
        Watched(traced.eval()).run(*inputs)
    except Exception as error:  # whatever the model's own layers raise
        shapes = ", ".join(str(tuple(x.shape)) for x in inputs)
        node = at[0] if at else None
        raise Refusal(
            f"the model does not take the example, of shape {shapes}",
            (f"{node.name!r}: " if node else "")
            + (str(error).strip() or type(error).__name__).splitlines()[0],
            "give a batch of the model's inputs: (samples, channels, ...), or a tuple of them",
            where=str(node.meta.get(WHERE, "")) if node else "",
        ) from error
    finally:
        traced.train(training)
    return found


@torch.no_grad()
def check_same(
    traced: fx.GraphModule, seen: Mapping[fx.Node, Seen], model: nn.Module, inputs: Sequence[Tensor]
) -> None:
    """Refused unless `model` gives, in two calls in eval mode, what was seen at the traced model's end."""
    (end,) = [n for n in traced.graph.nodes if n.op == "output"]
    wanted = [seen[n] for n in tree_leaves(end.args[0]) if isinstance(n, fx.Node) and n in seen]
    training = model.training
    twice = [tree_leaves(model.eval()(*inputs)) for _ in range(2)]
    model.train(training)
    given = [[leaf for leaf in leaves if isinstance(leaf, Tensor)] for leaves in twice]
    same = all(len(leaves) == len(wanted) for leaves in given) and all(
        tuple(leaf.shape) == one.shape
        and torch.allclose(
            sample(leaf), one.values, rtol=1e-3, atol=1e-3 * float(one.values.abs().max()) + 1e-9
        )
        for leaves in given
        for leaf, one in zip(leaves, wanted, strict=True)
    )
    if not same:
        raise Refusal(
            "the model cannot be converted",
            "torch.fx wrote down another function than forward() computes in eval mode",
            "let forward() do the same at every call, without attributes that it changes",
        )
