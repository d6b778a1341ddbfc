"""Gradients of weight codes: straight through to the latent weights, and LSQ's to a learnt step size."""

from typing import Any

import torch
from torch import Tensor

from edgeternary.nn.surrogates import Slope


def like(codes: Tensor, w: Tensor) -> Tensor:
    """`codes` with the strides of `w`, from which a convolution and the pools after it take their memory
    format.
    """
    if codes.stride() == w.stride():
        return codes.detach()  # an input that a Function returns as it is loses the strides of axes of size 1
    return torch.empty_strided(w.shape, w.stride(), dtype=codes.dtype).copy_(codes)


def masked(codes: Tensor, keep: Tensor | None) -> Tensor:
    """`codes`, 0 where the mask `keep` says no."""
    return codes if keep is None else codes * keep


class _Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, w: Tensor, codes: Tensor, slope: Slope | None) -> Tensor:
        ctx.slope = slope
        if slope is not None:
            ctx.save_for_backward(w)
        return like(codes, w)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad = grads[0]
        return (grad if ctx.slope is None else grad * ctx.slope(*ctx.saved_tensors)), None, None


def straight_codes(w: Tensor, codes: Tensor, slope: Slope | None = None) -> Tensor:
    """`codes` in the memory format of latent weights w; backward, w gets their gradient times slope(w)."""
    result: Tensor = _Straight.apply(w, codes, slope)
    return result


class _Stepped(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        w: Tensor,
        step: Tensor,
        codes: Tensor,
        keep: Tensor | None,
        edge: float,
        gradient: tuple[bool, Slope | None],
    ) -> Tensor:
        ctx.save_for_backward(w, step, keep)
        ctx.edge, (ctx.clip, ctx.slope) = edge, gradient
        return like(codes, w)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        w, step, keep = ctx.saved_tensors
        grad, y = grads[0], w / step
        # grad where |y| < edge, else 0
        inside = torch.ops.aten.hardtanh_backward(grad, y, -ctx.edge, ctx.edge)
        gw = inside / step if ctx.clip else grad
        if ctx.slope is not None:
            gw = gw * ctx.slope(w)
        if not ctx.needs_input_grad[1]:
            return gw, *[None] * 5
        factor = (w.numel() / step.numel() * ctx.edge) ** -0.5
        gs = masked((inside * y).div_(step), keep)
        gs = -(gs.flatten(1).sum(1) if step.numel() > 1 else gs.sum()).reshape(step.shape) * factor
        return gw, gs, *[None] * 4


def stepped_codes(
    w: Tensor,
    step: Tensor,
    codes: Tensor,
    keep: Tensor | None,
    edge: float,
    clip: bool,
    slope: Slope | None = None,
) -> Tensor:
    """`codes`, clamp(round(w / step), -edge, edge) and 0 outside the mask `keep`, with LSQ's gradients.

    To step, () or (out, 1, ...): the sum of grad * (-w / step^2) where |w / step| < edge and `keep`, times
    1 / sqrt(weights * edge). To w: grad / step there and 0 outside (clip), or grad everywhere (not clip),
    times slope(w). Esser et al., 2020, eq. 3 and 5, for codes that leave without their step.
    """
    result: Tensor = _Stepped.apply(w, step, codes, keep, edge, (clip, slope))
    return result
