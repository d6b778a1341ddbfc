"""Train-mode quantisers as autograd functions: codes forward, a surrogate slope backward, few passes over
memory.
"""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgeternary.nn.surrogates import Slope


@cache
def _open(lo: int, hi: int) -> tuple[float, float]:
    """Bounds a, b of float32 with lo <= y <= hi equal to a < y < b, as hardtanh_backward compares."""
    inf = np.float32(np.inf)
    below = np.nextafter(np.float32(lo), -inf) if lo else -1e-38
    return float(below), float(np.nextafter(np.float32(hi), inf))


def greater_equal(x: Tensor, limit: float) -> Tensor:
    """1 where x >= limit, else 0, in x's dtype (torch.where is ten times slower)."""
    return torch.ge(x, limit, out=torch.empty_like(x))


class _Steps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, lo: int, hi: int, slope: Slope | None) -> Tensor:
        y = x / scale
        ctx.save_for_backward(y, scale)
        ctx.lo, ctx.hi, ctx.slope = lo, hi, slope
        return (y + 0.5).floor_().clamp_(lo, hi)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        y, scale = ctx.saved_tensors
        if ctx.slope is None:
            gx = torch.ops.aten.hardtanh_backward(grads[0], y, *_open(ctx.lo, ctx.hi)).div_(scale)
        else:
            nearest = y.floor().clamp_(ctx.lo, ctx.hi - 1).add_(0.5)
            gx = grads[0] * ctx.slope((y - nearest).mul_(2)) / scale
        factor = (y.numel() * max(ctx.hi, 1)) ** -0.5
        gs = -(gx * y).sum() * factor if ctx.needs_input_grad[1] else None
        return gx, gs, None, None, None


def fake_quantize(x: Tensor, scale: Tensor, lo: int, hi: int, slope: Slope | None = None) -> Tensor:
    """Codes clamp(floor(x / scale + 0.5), lo, hi) with LSQ's gradients (Esser et al., 2020).

    To x: slope(2(y - t)) / scale with y = x / scale and t the threshold (k + 1/2) nearest to y, so that the
    surrogate's window [-1, 1] lies around each step; without a slope it is clipped's: 1 / scale where lo <= y
    <= hi, else 0. To the step size scale (): the sum of -y times that gradient, over sqrt(elements * hi).
    """
    codes: Tensor = _Steps.apply(x, scale, lo, hi, slope)
    return codes


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, width: float, slope: Slope) -> Tensor:
        ctx.save_for_backward(x)
        ctx.width, ctx.slope = width, slope
        return greater_equal(x, 0.0).mul_(2).sub_(1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        if ctx.width == 1:
            return grads[0] * ctx.slope(x), None, None
        return grads[0] * ctx.slope(x / ctx.width) / ctx.width, None, None


def fake_sign(x: Tensor, width: float, slope: Slope) -> Tensor:
    """+1 where x >= 0, else -1; backward slope(x / width) / width, the derivative of a smooth sign(x /
    width).
    """
    codes: Tensor = _Sign.apply(x, width, slope)
    return codes
