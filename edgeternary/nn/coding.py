"""Codes of inputs as spikes: raw integer codes (N, ...) become 0 and 1 over steps, (N, steps, ...).

Rate coding gives a brighter pixel spikes in more of its steps, evenly spread. Latency coding gives it one
spike, which comes earlier. Direct coding gives the codes themselves at every step, to a layer that spikes.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError


def rate_code(x: Tensor, steps: int, top: int = 255) -> Tensor:
    """Spike t where floor((2 (t + 1) x + top) / (2 top)) rises: round(steps * x / top) spikes, half up.

    Deterministic: an integrate-and-fire neuron that starts half way, fed x, of threshold top.
    """
    t = torch.arange(steps + 1, dtype=torch.float64).reshape(1, -1, *([1] * (x.dim() - 1)))
    level = torch.floor((2 * t * x.double()[:, None] + top) / (2 * top))
    return (level[:, 1:] - level[:, :-1]).float()


def random_rate_code(x: Tensor, steps: int, generator: torch.Generator, top: int = 255) -> Tensor:
    """Bernoulli spikes of the probability x / top at every step: rate coding in the strict sense."""
    shape = (len(x), steps, *x.shape[1:])
    return (torch.rand(shape, generator=generator) * top < x[:, None]).float()


def latency_code(x: Tensor, steps: int, top: int = 255) -> Tensor:
    """One spike, at step floor((top - x) * steps / (top + 1)); none for x = 0."""
    when = torch.floor((top - x.double()) * steps / (top + 1))
    t = torch.arange(steps, dtype=torch.float64).reshape(1, -1, *([1] * (x.dim() - 1)))
    return ((when[:, None] == t) & (x[:, None] > 0)).float()


def direct_code(x: Tensor, steps: int, top: int = 255) -> Tensor:
    """x at every step."""
    return x[:, None].expand(-1, steps, *x.shape[1:]).float()


CODINGS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "rate": rate_code,
    "latency": latency_code,
    "direct": direct_code,
}


def find_coding(name: str) -> Callable[[Tensor, int], Tensor]:
    """CODINGS[name], or an EdgeTernaryError that lists the names."""
    if name in CODINGS:
        return CODINGS[name]
    raise EdgeTernaryError(
        f"no coding is called {name!r}", f"known are: {', '.join(CODINGS)}", "choose one of these"
    )
