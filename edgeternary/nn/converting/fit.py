"""Constants of the new layers from example data: each gives as nearly as it can what the float call gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from edgeternary.nn.activations import Activation, StepSize
from edgeternary.nn.converting.builder import Builder, best_step
from edgeternary.nn.converting.observe import sample
from edgeternary.nn.curve import Curve
from edgeternary.nn.linear import Logits
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.structure import Scale

LEAST = 0.3  # magnitude of a channel's correlation with the float one: no batch-norm makes a channel vanish


@torch.no_grad()
def correlation(made: Any, wanted: Sequence[Tensor]) -> float:
    """Of all outputs with what the float model gives, as sample() chooses them; 1: the same up to scales."""
    given = [sample(leaf) for leaf in tree_leaves(made) if isinstance(leaf, Tensor)]
    pairs = [(a, b) for a, b in zip(given, wanted, strict=False) if a.shape == b.shape]
    if not pairs:
        return float("nan")
    a = torch.cat([(x - x.mean()).flatten() / x.std().clamp_min(1e-12) for x, _ in pairs])
    b = torch.cat([(y - y.mean()).flatten() / y.std().clamp_min(1e-12) for _, y in pairs])
    return float((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt().clamp_min(1e-12))


@torch.no_grad()
def fit(model: fx.GraphModule, inputs: Sequence[Tensor], b: Builder) -> None:
    """Fits batch-norms, step sizes and logit scales of all layers that `b` made, in the order of the graph.

    A batch-norm gets the mean and deviation of its accumulators as statistics, and the gain and bias of the
    least-squares line from them to the float values; a step size is the one with the least squared error.
    Quantisers that share one step get the largest of theirs, or that of the one that the model had, and
    everything is fitted once more.
    """
    training = model.training
    model.eval()
    _Fitting(model, b, set()).run(*inputs)
    for group in b.ties.groups:
        first = next((member for member in group if b.is_kept(member)), group[0])
        if not b.is_kept(first):
            first.scale.fill_(max(float(member.step_size()) for member in group) / first.unit)
        for member in group:
            member.unit, member.scale = first.unit, first.scale
    if b.ties.groups:
        tied = {id(member) for group in b.ties.groups for member in group}
        _Fitting(model, b, tied).run(*inputs)
    model.train(training)


class _Fitting(fx.Interpreter):
    """Runs the model and fits each layer before it answers. tied: ids of quantisers whose step stays."""

    def __init__(self, model: fx.GraphModule, b: Builder, tied: set[int]) -> None:
        super().__init__(model)
        self.b, self.tied = b, tied

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        layer = self.fetch_attr(target)
        if target not in self.b.kept:
            seen = self.b.seen.get(self.b.fits[target]) if target in self.b.fits else None
            _fit(layer, args[0], seen.values if seen else self.b.targets.get(target), self.tied)
        return super().call_module(target, args, dict(kwargs))


def _fit(layer: nn.Module, x: Tensor, y: Tensor | None, tied: set[int]) -> None:
    """y: values (C, n) that the layer should give, as observe.sample chooses them."""
    if isinstance(layer, Requantize):
        _step(layer, _fit_norm(layer, sample(x), y), tied)
    elif isinstance(layer, Curve):
        before = _fit_norm(layer.before, sample(x), y)
        _step(layer.before, before, set())
        _step(layer, layer.function(before), tied)
    elif isinstance(layer, BatchNorm):
        _fit_norm(layer, sample(x), y)
    elif isinstance(layer, Activation):
        if layer.levels.gap == 1:
            _step(layer, sample(x), tied)
    elif isinstance(layer, Logits) and y is not None:
        _fit_logits(layer, x, y)
    elif isinstance(layer, Scale) and y is not None:
        a = sample(x)
        if a.shape == y.shape:
            layer.scale.fill_(max(float((a * y).sum() / (a * a).sum().clamp_min(1e-12)), 1e-6))


def _step(layer: StepSize, y: Tensor, tied: set[int]) -> None:
    kind: Any = layer.levels  # type: ignore[attr-defined]
    if id(layer) not in tied:
        layer.scale.fill_(max(best_step(y, kind)[0], 1e-6 * layer.unit) / layer.unit)


def _fit_norm(norm: BatchNorm, a: Tensor, y: Tensor | None) -> Tensor:
    """What the fitted batch-norm gives for accumulators a (C, n); y (C, n) is what the float call gave."""
    mean, var = a.mean(1), a.var(1, unbiased=False)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var)
    if y is not None and y.shape == a.shape:
        centre, deviation = y.mean(1), y.std(1, unbiased=False)
        both = ((a - mean[:, None]) * (y - centre[:, None])).mean(1)
        correlation = both / (var.sqrt() * deviation).clamp_min(1e-12)
        small = correlation.abs() < LEAST
        norm.weight.copy_(
            torch.where(small, LEAST * torch.where(correlation < 0, -1.0, 1.0), correlation) * deviation
        )
        norm.bias.copy_(centre)
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (a - mean[:, None]) * gain[:, None] + norm.bias[:, None]


def _fit_logits(layer: Logits, x: Tensor, y: Tensor) -> None:
    """The one scale and the biases of the least-squares fit to the float logits."""
    layer.bias.zero_()
    layer.scale.fill_(1.0 / layer.unit)
    a = sample(layer(x))
    if a.shape != y.shape:
        return
    mean, centre = a.mean(1, keepdim=True), y.mean(1, keepdim=True)
    spread = ((a - mean) ** 2).sum()
    scale = float(((a - mean) * (y - centre)).sum() / spread.clamp_min(1e-12))
    if scale <= 0:
        scale = float(y.std().clamp_min(1e-6) / a.std().clamp_min(1e-6)) if a.numel() > 1 else 1.0
    layer.scale.fill_(max(scale, 1e-6 * layer.unit) / layer.unit)
    layer.bias.copy_((centre - scale * mean).flatten())
