"""Sparsity control: a target share of weights whose code is 0, at once or by a schedule.

A zero weight costs no instruction and no gate in kernels that skip zeros. A layer's `zero_share` is the
least share of its codes that is 0: the weights that are smallest against the mean of their output channel.
Gradients still reach them, so a weight can come back. Saved codes hold the zeros themselves.
"""

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.linear import Quantized
from edgeternary.nn.weight_rules import relative_magnitudes

SCOPES = ("layer", "model")
STEPS = 64  # how often a schedule raises the share


def weight_layers(model: nn.Module, layers: Sequence[str] | None = None) -> dict[str, Quantized]:
    """{module path: layer} of the quantised layers, or of those whose path matches a pattern of `layers`."""
    found = {path: m for path, m in model.named_modules() if isinstance(m, Quantized)}
    if layers is None:
        return found
    for pattern in layers:
        if not any(fnmatchcase(path, pattern) for path in found):
            raise EdgeTernaryError(
                f"no layer matches {pattern!r}",
                f"layers with weights are: {', '.join(found)}",
                "choose among these",
            )
    return {path: m for path, m in found.items() if any(fnmatchcase(path, p) for p in layers)}


def set_sparsity(
    model: nn.Module, share: float, layers: Sequence[str] | None = None, scope: str = "layer"
) -> dict[str, float]:
    """Makes at least `share` of the weight codes 0 from now on; returns the share that each layer was given.

    layers: module paths or patterns ("conv*"), by default all that can hold zeros. scope: "layer", the same
    share for each; "model", the share of all these weights together, the smallest against their channel's
    mean first, shared out once, now. EdgeTernaryError for binary layers named in `layers`, and shares
    outside 0 <= share < 1.
    """
    shares = shares_for(sparse_layers(model, layers), share, scope)
    for path, value in shares.items():
        layer = model.get_submodule(path)
        assert isinstance(layer, Quantized)
        layer.zero_share = value
    return shares


def sparse_layers(model: nn.Module, layers: Sequence[str] | None) -> dict[str, Quantized]:
    """The layers whose codes can be 0; refuses a binary one that is named."""
    found = weight_layers(model, layers)
    dense = [path for path, layer in found.items() if layer.quantizer.limit(layer.weight) is None]
    if dense and (layers is not None or len(dense) == len(found)):
        raise EdgeTernaryError(
            f"layer {dense[0]!r} has binary weights", "no code of theirs is 0", "give it ternary weights"
        )
    return {path: layer for path, layer in found.items() if path not in dense}


def shares_for(layers: Mapping[str, Quantized], share: float, scope: str = "layer") -> dict[str, float]:
    """The share of zeros for each of `layers` that makes `share` of them all."""
    if not 0 <= share < 1:
        raise EdgeTernaryError(
            f"a share of {share} of the weights cannot be zero",
            "a share lies in 0 <= share < 1",
            "0.7 is 70 %",
        )
    if scope not in SCOPES:
        raise EdgeTernaryError(f"no sparsity scope is called {scope!r}", f"known are: {', '.join(SCOPES)}")
    if scope == "layer" or not layers:
        return dict.fromkeys(layers, float(share))
    sizes = {path: relative_magnitudes(layer.weight) for path, layer in layers.items()}
    every = torch.cat(list(sizes.values()))
    count = math.ceil(share * len(every))
    limit = every.kthvalue(count).values if count else every.new_tensor(-1.0)
    return {
        path: min(float((size <= limit).double().mean()), 1 - 1 / len(size)) for path, size in sizes.items()
    }


@torch.no_grad()
def zero_shares(model: nn.Module) -> dict[str, float]:
    """{module path: share of weight codes that are 0 now} of every quantised layer."""
    layers = weight_layers(model)
    return {path: float((layer.integer_codes() == 0).double().mean()) for path, layer in layers.items()}


class SparsitySchedule:
    """Raises the share of zeros from what it is to `target` between `start` and `end` of a training.

    schedule(progress), progress in 0..1, once a step: share = target + (first - target) * (1 - t)^3 with t
    the part of [start, end] that has gone (Zhu and Gupta, 2017, eq. 1), in 64 steps. first is each layer's
    own share when the schedule begins to act. Layers beyond the target already are left alone. state_dict()
    and load_state_dict() resume.
    """

    def __init__(
        self,
        model: nn.Module,
        target: float,
        start: float = 0.1,
        end: float = 0.6,
        layers: Sequence[str] | None = None,
        scope: str = "layer",
    ) -> None:
        self.layers = sparse_layers(model, layers)
        shares_for(self.layers, target, scope)  # refuses bad targets before the training
        if not 0 <= start <= end <= 1:
            raise EdgeTernaryError(
                f"a schedule cannot go from {start} to {end}",
                "both are parts of a training",
                "0 <= start <= end <= 1",
            )
        self.target, self.start, self.end, self.scope = target, start, end, scope
        self.first: dict[str, float] = {}
        self.done = -1

    def share(self, first: float, progress: float) -> float:
        """The share at `progress` of a training that began with `first`."""
        t = min(max((progress - self.start) / max(self.end - self.start, 1e-9), 0.0), 1.0)
        return self.target + (first - self.target) * (1 - t) ** 3

    @torch.no_grad()
    def __call__(self, progress: float) -> None:
        """Sets the layers' zero_share for this point of the training."""
        step = (
            STEPS
            if progress >= self.end
            else int(STEPS * (progress - self.start) / max(self.end - self.start, 1e-9))
        )
        if progress < self.start or step <= self.done:
            return
        if not self.first:
            zeros = {path: layer.integer_codes() == 0 for path, layer in self.layers.items()}
            self.first = {path: float(z.double().mean()) for path, z in zeros.items()}
        self.done = step
        now = self.start + (self.end - self.start) * step / STEPS
        if self.scope == "model":
            sizes = {path: layer.weight.numel() for path, layer in self.layers.items()}
            first = sum(self.first[path] * n for path, n in sizes.items()) / sum(sizes.values())
            shares = shares_for(self.layers, self.share(first, now), "model")
        else:
            shares = {path: self.share(first, now) for path, first in self.first.items()}
        for path, layer in self.layers.items():
            layer.zero_share = (
                shares[path] if self.scope == "model" or self.first[path] < self.target else 0.0
            )

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training needs; the shares themselves are in the model's own state."""
        return {"first": dict(self.first), "done": self.done}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes back what state_dict gave."""
        self.first, self.done = dict(state["first"]), int(state["done"])
