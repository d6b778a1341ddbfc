"""Random networks with idioms between their layers: integer layers, then functions, quantisers, reshapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary import nn as q
from tests.frontends.idioms import Written, integers

LIKELY = 12  # functions at the head of each list are drawn more often: most of them can be lowered
Function = Callable[[Tensor], Tensor]


def number(rng: np.random.Generator) -> float:
    """A factor or offset: often one with which sums meet thresholds."""
    return float(rng.choice([0.5, 0.25, 2.0, -1.0, 1.0, 3.0, 0.1, 7.0, -0.3]))


def per_channel(rng: np.random.Generator, x: Tensor) -> Tensor:
    values = rng.choice([0.5, 1.0, -1.0, 2.0, 0.1], x.shape[1])
    return torch.from_numpy(values.astype(np.float32)).reshape(-1, *[1] * (x.dim() - 2))


def written(y: Tensor) -> Tensor:
    """A view of y is changed, then y is read."""
    z = y + 0.0
    z.view(z.shape[0], -1).relu_()
    return z + 0.0


def floats(rng: np.random.Generator, x: Tensor) -> Function:
    """A function of float values: of one element and constants, or none at all."""
    a, c = number(rng), per_channel(rng, x)
    lo, hi = sorted(rng.choice([-5.0, -1.0, 0.0, 2.0, 6.0], 2, replace=False).tolist())
    pool: list[Function] = [
        lambda y: y * a, lambda y: y + a, lambda y: a * y - c, lambda y: y / a, lambda y: y * c + 1,
        lambda y: c - y, F.relu, lambda y: F.leaky_relu(y, abs(a)), lambda y: F.hardtanh(y, lo, hi),
        lambda y: y.clamp(lo, hi), lambda y: F.relu(y * a, inplace=True), lambda y: y.double() * a,
        lambda y: y / c, F.relu6, lambda y: F.leaky_relu(y, a), lambda y: y.clamp(min=lo), lambda y: -y,
        torch.floor, torch.round, lambda y: torch.sub(y, 1.0, alpha=1), lambda y: F.dropout(y, 0.3, False),
        lambda y: y.contiguous().detach().clone(), lambda y: y.float(), lambda y: torch.add(y, c, alpha=a),
        lambda y: y.to(torch.bfloat16).float(), lambda y: y.half(), lambda y: y.int().float(), written,
        lambda y: y * y, lambda y: y + y, lambda y: y.abs(), torch.sigmoid, lambda y: 1 - y,
        lambda y: y * torch.rand(1), lambda y: y * len(y), lambda y: y - y.mean(), lambda y: y.flip(-1),
        lambda y: torch.where(y > 0, y, a * y), lambda y: y + torch.arange(float(y.shape[-1])),
        lambda y: c / (y * y + 1),
    ]  # fmt: skip
    return pool[int(rng.integers(len(pool) if rng.integers(3) == 0 else LIKELY))]


def shapes(rng: np.random.Generator, x: Tensor) -> Function:
    """A function of codes that moves or reshapes them, or seems to."""
    size = x[0].numel()
    pool: list[Function] = [
        lambda y: y, lambda y: y.flatten(1), lambda y: y.view(len(y), -1), lambda y: y.reshape(-1, size),
        lambda y: y.flatten(1).view(y.shape), lambda y: y.unsqueeze(-1).squeeze(-1),
        lambda y: y.squeeze(-1), lambda y: y.squeeze(2) if y.dim() > 2 else y,
        lambda y: torch.cat([y, y], 1), lambda y: torch.cat([y], 1),
        lambda y: F.max_pool2d(y, (3, 2), 1, 1) if y.dim() == 4 else y,
        lambda y: F.max_pool1d(y, 2) if y.dim() == 3 else y, lambda y: y.float(),
        lambda y: F.max_pool2d(y, 2, ceil_mode=bool(size % 2)) if y.dim() == 4 else y,
        lambda y: y.unsqueeze(-1), lambda y: y.unsqueeze(1), lambda y: y.unsqueeze(2).squeeze(2),
        lambda y: y.flatten(2) if y.dim() > 2 else y, lambda y: y.transpose(1, -1), lambda y: y.double(),
        lambda y: torch.cat([y, y], -1), lambda y: y[:, :1], lambda y: y.squeeze(), lambda y: y.flip(1),
        lambda y: y.flatten(0, 1).view(y.shape), lambda y: F.dropout2d(y, 0.5, False) if y.dim() == 4 else y,
        lambda y: y.view(y.shape[0], y.shape[1], -1), lambda y: y.roll(1, 1), lambda y: y.swapaxes(1, -1),
    ]  # fmt: skip
    return pool[int(rng.integers(len(pool) if rng.integers(3) == 0 else LIKELY))]


def layer(rng: np.random.Generator, x: Tensor, outputs: int) -> nn.Module:
    """A layer with weights for x: of torch with small integers, or of edgeternary.nn."""
    ours, bias = bool(rng.integers(2)), bool(rng.integers(2))
    if x.dim() == 2:
        plain = nn.Linear(x.shape[1], outputs, bias=bias)
        return q.Linear(x.shape[1], outputs, "binary") if ours else integers(plain)
    if x.dim() == 3:
        return q.Conv1d(x.shape[1], outputs, min(3, x.shape[2]), pad=1, pad_value=1, weights="binary")
    kernel = (min(2, x.shape[2]), min(3, x.shape[3]))
    if ours:
        return q.Conv2d(x.shape[1], outputs, kernel, pad=(0, 1), pad_value=1, weights="binary")
    return integers(nn.Conv2d(x.shape[1], outputs, kernel, bias=bias))


def random_net(seed: int) -> tuple[nn.Module, Tensor, str]:
    """A model in eval mode, 32 samples of its input and their type. The last of each stage is a quantiser."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    kind = str(rng.choice(["uint2", "uint4", "int3", "bipolar", "ternary", "uint8"]))
    lo, hi = {"uint2": (0, 3), "uint4": (0, 15), "int3": (-4, 3), "uint8": (0, 255)}.get(kind, (-1, 1))
    shape = [(int(rng.integers(3, 9)),), (2, 5), (2, 4, 3), (1, 5, 1), (3, 1, 1)][int(rng.integers(5))]
    x = rng.integers(lo, hi + 1, (32, *shape))
    x[0], x[1], x[2:9] = lo, hi, rng.choice([lo, hi], (7, *shape))
    sample = torch.from_numpy(np.where(x == 0, 1, x) if kind == "bipolar" else x).float()
    layers: list[nn.Module] = []
    y = sample

    def grow(new: nn.Module) -> None:
        """Adds a layer where it can follow at all."""
        nonlocal y
        try:
            with torch.no_grad():
                after = new.eval()(y)
        except (RuntimeError, IndexError, ValueError):
            return
        if isinstance(after, Tensor) and after.dim() > 1 and after.numel():
            layers.append(new)
            y = after

    for _ in range(int(rng.integers(1, 4))):
        grow(layer(rng, y, int(rng.integers(2, 6))))
        if rng.integers(2) and y.dtype == torch.float32:
            norm = q.BatchNorm(y.shape[1])
            norm.running_mean.copy_(y.detach().transpose(0, 1).flatten(1).mean(1).round())
            grow(norm)
        if rng.integers(2):
            grow(Written(floats(rng, y)))
        grow(
            q.Activation([1, 2, "bipolar", "ternary", "int3"][int(rng.integers(5))] if rng.integers(8) else 3)
        )
        if rng.integers(2):
            grow(Written(shapes(rng, y)))
    if rng.integers(3):
        grow(q.Flatten())
        grow(layer(rng, y, 3))
        if not rng.integers(3):
            grow(Written(floats(rng, y)))
    return nn.Sequential(*layers).eval(), sample, kind
