"""Straight-through estimators: the slope that backward uses where the forward pass is a staircase."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Slope = Callable[[Tensor], Tensor]


def identity(x: Tensor) -> Tensor:
    """Slope 1 everywhere (Bengio et al., 2013)."""
    return x.new_ones(()).expand_as(x)


def clipped(x: Tensor) -> Tensor:
    """Slope 1 for |x| <= 1, else 0 (BinaryConnect, Courbariaux et al., 2015)."""
    return (x.abs() <= 1).to(x.dtype)


def approx_sign(x: Tensor) -> Tensor:
    """Slope 2 - 2|x| for |x| <= 1, else 0: the derivative of Bi-Real Net's ApproxSign (Liu et al., 2018)."""
    return (2 - 2 * x.abs()).clamp_min(0)


SURROGATES: dict[str, Slope] = {"identity": identity, "clipped": clipped, "approx_sign": approx_sign}


def straight_through(codes: Tensor, x: Tensor, slope: Slope = identity) -> Tensor:
    """Forward: `codes`, bit for bit. Backward: the gradient of `codes` times slope(x) goes to `x`.

    x - x.detach() is exactly zero, so no rounding creeps into the codes (w + (q - w).detach() would be an ulp
    off).
    """
    x_ = x.detach()
    carrier = (x - x_) if slope is identity else (x - x_) * slope(x_)
    return codes.detach() + carrier
