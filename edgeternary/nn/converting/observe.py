"""What each call of the float model gives for the example: shape and a sample of its values."""

from __future__ import annotations

from collections.abc import Sequence
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
def observed(traced: fx.GraphModule, model: nn.Module, inputs: Sequence[Tensor]) -> dict[fx.Node, Seen]:
    """What each node gives in eval mode. Refused if the end is not what `model` gives."""
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
        answer = Watched(traced.eval()).run(*inputs)
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
    _check_same(answer, model, inputs)
    return found


def _check_same(answer: Any, model: nn.Module, inputs: Sequence[Tensor]) -> None:
    training = model.training
    twice = [model.eval()(*inputs) for _ in range(2)]
    model.train(training)
    given = _tensors(answer)
    same = all(len(_tensors(y)) == len(given) for y in twice) and all(
        a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()) + 1e-9)
        for y in twice
        for a, b in zip(given, _tensors(y), strict=True)
    )
    if not same:
        raise Refusal(
            "the model cannot be converted",
            "torch.fx wrote down another function than forward() computes in eval mode",
            "let forward() do the same at every call, without attributes that it changes",
        )


def _tensors(y: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(y) if isinstance(leaf, Tensor)]
