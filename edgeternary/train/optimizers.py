"""Optimizers by name: OPTIMIZERS = {name: function of (model, lr, weight_decay) -> torch.optim.Optimizer}."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.linear import Quantized


class Bop(torch.optim.Optimizer):
    """Binary optimizer (Helwegen et al., 2019): it flips binary weights and trains the others with Adam.

    A binary weight w in {-1, +1} has no latent value. It has a moving average of its gradient, m = (1 -
    gamma) m + gamma * grad; w becomes -w where |m| > threshold and sign(m) = sign(w) (algorithm 1).
    gamma falls with the learning rate: gamma * lr / (lr at the start).

    binary  the binary weights; the constructor sets them to +-1
    rest    the parameters that Adam trains
    state_dict() holds all that a resumed training needs.
    """

    def __init__(
        self,
        binary: Iterable[nn.Parameter],
        rest: Iterable[nn.Parameter],
        lr: float = 2e-3,
        gamma: float = 1e-3,
        threshold: float = 1e-6,
    ) -> None:
        flips = {"params": list(binary), "bop": True, "gamma": gamma, "threshold": threshold, "peak": lr}
        others = {"params": list(rest), "bop": False}
        groups = [group for group in (flips, others) if group["params"]]
        super().__init__(groups, {"lr": lr})
        with torch.no_grad():
            for p in flips["params"]:  # type: ignore[attr-defined]
                p.copy_(torch.where(p >= 0, 1.0, -1.0))
        self.adam = torch.optim.Adam(others["params"], lr=lr) if others["params"] else None  # type: ignore[arg-type]
        if self.adam:
            self.param_groups[-1].update(
                {k: v for k, v in self.adam.param_groups[0].items() if k != "params"}
            )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Makes one step. If `closure` is given, it computes the loss and its gradients first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["bop"]:
                self._flip(group)
        if self.adam:
            self.adam.param_groups = [group for group in self.param_groups if not group["bop"]]
            self.adam.state = self.state  # one state for state_dict()
            self.adam.step()
        return loss

    def _flip(self, group: dict[str, Any]) -> None:
        gamma = group["gamma"] * group["lr"] / group["peak"]
        for p in group["params"]:
            if p.grad is None:
                continue
            m = self.state[p].setdefault("momentum", torch.zeros_like(p))
            m.lerp_(p.grad, gamma)
            p.mul_(torch.where(m * p > group["threshold"], -1.0, 1.0))


def bop(model: nn.Module, lr: float, weight_decay: float = 0.0, **options: float) -> torch.optim.Optimizer:
    """Bop for the weights of binary layers, Adam with `lr` for the rest. options: gamma, threshold."""
    layers = [m for m in model.modules() if isinstance(m, Quantized) and m.quantizer.name == "bipolar"]
    if not layers:
        raise EdgeTernaryError(
            "Bop has no weights to flip",
            "no layer of the model has binary weights",
            'use weights="binary", or the optimizer adamw',
        )
    if any(layer.float_weights for layer in layers):
        raise EdgeTernaryError(
            "Bop cannot train float weights", "a stage trains latent weights", "choose adamw for that stage"
        )
    binary = [layer.weight for layer in layers]
    flipping = set(map(id, binary))
    return Bop(binary, [p for p in model.parameters() if id(p) not in flipping], lr, **options)


def _torch(kind: Callable[..., torch.optim.Optimizer], **fixed: Any) -> Callable[..., torch.optim.Optimizer]:
    def make(model: nn.Module, lr: float, weight_decay: float = 0.0, **options: Any) -> torch.optim.Optimizer:
        return kind(model.parameters(), lr=lr, weight_decay=weight_decay, **fixed, **options)

    return make


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": _torch(torch.optim.AdamW),
    "adam": _torch(torch.optim.Adam),
    "sgd": _torch(torch.optim.SGD, momentum=0.9, nesterov=True),
    "bop": bop,
}


def make_optimizer(
    name: str, model: nn.Module, lr: float, weight_decay: float = 0.0, **options: Any
) -> torch.optim.Optimizer:
    """OPTIMIZERS[name](model, lr, weight_decay, **options), or an EdgeTernaryError that lists the names."""
    if name not in OPTIMIZERS:
        raise EdgeTernaryError(
            f"no optimizer is called {name!r}", f"known are: {', '.join(OPTIMIZERS)}", "choose one of these"
        )
    return OPTIMIZERS[name](model, lr, weight_decay, **options)
