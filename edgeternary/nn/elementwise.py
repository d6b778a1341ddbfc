"""Eval-mode batch-norm, RPReLU, sign, quantize, requantize and lookup as torch.library operators (see
nn/ops.py).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.library import custom_op

from edgeternary.nn.ops import float32_like, saved
from edgeternary.nn.surrogates import approx_sign
from edgeternary.passes.fixed_point import fixed_point, power_of_two, shifts


def per_channel(p: Tensor, x: Tensor) -> Tensor:
    """Shapes a (C,) parameter so that it broadcasts along axis 1 of x, in float64."""
    return p.double().reshape(-1, *([1] * (x.dim() - 2)))


def _float64_like(x: Tensor, *rest: object) -> Tensor:
    return torch.empty_like(x, dtype=torch.float64)


@custom_op("edgeternary::batch_norm", mutates_args=())
def batch_norm(x: Tensor, mean: Tensor, var: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """((x - mean) / sqrt(var + eps)) * gamma + beta in float64; x is (N, C, ...), the rest (C,)."""
    deviation = torch.sqrt(per_channel(var, x) + eps)
    return (x.double() - per_channel(mean, x)) / deviation * per_channel(gamma, x) + per_channel(beta, x)


def _batch_norm_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, mean, var, gamma, _, eps = inputs
    ctx.save_for_backward(x, mean, var, gamma)
    ctx.eps = eps


def _batch_norm_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, mean, var, gamma = ctx.saved_tensors
    deviation = torch.sqrt(per_channel(var, x) + ctx.eps)
    axes = [0, *range(2, x.dim())]
    normal = (x.double() - per_channel(mean, x)) / deviation
    gx = grad * per_channel(gamma, x) / deviation
    return gx.to(x.dtype), None, None, (grad * normal).sum(axes).float(), grad.sum(axes).float(), None


batch_norm.register_fake(_float64_like)
batch_norm.register_autograd(_batch_norm_backward, setup_context=_batch_norm_setup)


@custom_op("edgeternary::rprelu", mutates_args=())
def rprelu(x: Tensor, before: Tensor, slope: Tensor, after: Tensor) -> Tensor:
    """t + after with t = x - before, times slope where it is negative, in float64; x is (N, C, ...), the rest
    (C,).
    """
    t = x.double() - per_channel(before, x)
    return torch.where(t >= 0, t, t * per_channel(slope, x)) + per_channel(after, x)


def _rprelu_backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
    x, before, slope = ctx.saved_tensors
    t, axes = x.double() - per_channel(before, x), [0, *range(2, x.dim())]
    gt = torch.where(t >= 0, grad, grad * per_channel(slope, x))
    sums = (-gt.sum(axes), (grad * t.clamp_max(0)).sum(axes), grad.sum(axes))
    return gt.to(x.dtype), *(s.float() for s in sums)


rprelu.register_fake(_float64_like)
rprelu.register_autograd(_rprelu_backward, setup_context=saved(3))


@custom_op("edgeternary::sign", mutates_args=())
def sign(x: Tensor) -> Tensor:
    """+1 where x >= 0 (so sign(0) = +1), else -1, as float32."""
    return torch.where(x >= 0, 1.0, -1.0).float()


@custom_op("edgeternary::quantize", mutates_args=())
def quantize(x: Tensor, scale: Tensor, lo: int, hi: int) -> Tensor:
    """clamp(floor(x / scale + 0.5), lo, hi): x in float64, scale () -> float32 codes; ties go up."""
    return torch.clamp(torch.floor(x.double() / scale.double() + 0.5), lo, hi).float()


def _sign_backward(ctx: Any, grad: Tensor) -> Tensor:
    (x,) = ctx.saved_tensors
    return (grad * approx_sign(x)).to(x.dtype)


def _quantize_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, scale = ctx.saved_tensors
    (lo, hi), y = ctx.rest, x / scale
    return torch.where((y >= lo) & (y <= hi), grad / scale, 0.0).to(x.dtype), None, None, None


sign.register_fake(float32_like)
quantize.register_fake(float32_like)
sign.register_autograd(_sign_backward, setup_context=saved(1))
quantize.register_autograd(_quantize_backward, setup_context=saved(2))


@custom_op("edgeternary::multipliers", mutates_args=())
def multipliers(
    mean: Tensor,
    var: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    scale: Tensor,
    bound: int,
    shift_only: bool,
) -> Tensor:
    """Batch-norm and quantiser scale as integers: (3, C) int64 rows m, b, s of requantize (form A or B).

    shift_only: the gain gamma / (deviation * scale) rounded to a power of two, form A.
    """
    mean_, var_, gamma_, beta_ = (p.detach().cpu().double().numpy() for p in (mean, var, gamma, beta))
    step = float(scale.double())
    gain = gamma_ / np.sqrt(var_ + eps)
    if shift_only:
        gain = power_of_two(gain / step)
        return torch.from_numpy(np.stack(shifts(gain, beta_ / step - mean_ * gain, bound)))
    return torch.from_numpy(np.stack(fixed_point(gain / step, (beta_ - mean_ * gain) / step, bound)))


@multipliers.register_fake
def rows_of(mean: Tensor, *rest: object) -> Tensor:
    """Three rows of integers for each channel."""
    return torch.empty((3, mean.shape[0]), dtype=torch.int64)


@custom_op("edgeternary::requantize", mutates_args=())
def requantize(x: Tensor, mbs: Tensor, lo: int, hi: int) -> Tensor:
    """clamp((x*m + b + (1 << (s - 1))) >> s, lo, hi) in int64: half up; nothing is added for s = 0."""
    m, b, s = (row.reshape(-1, *([1] * (x.dim() - 2))) for row in mbs)
    half = torch.where(s > 0, torch.ones_like(s) << (s - 1).clamp_min(0), 0)
    return torch.clamp((x.long() * m + b + half) >> s, lo, hi).float()


def _requantize_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, mbs = ctx.saved_tensors
    m, b, s = (per_channel(row, x) for row in mbs)
    (lo, hi), gain = ctx.rest, m / 2**s
    y = x * gain + b / 2**s
    return torch.where((y >= lo) & (y <= hi), grad * gain, 0.0).to(x.dtype), None, None, None


requantize.register_fake(float32_like)
requantize.register_autograd(_requantize_backward, setup_context=saved(2))
multipliers.register_autograd(lambda ctx, grad: (None,) * 8)


@custom_op("edgeternary::lookup", mutates_args=())
def lookup(x: Tensor, table: Tensor, offset: int) -> Tensor:
    """table[x - offset]: x holds integer codes, table (n,) int64 -> float32 codes. No gradient goes to x."""
    return table[x.long() - offset].float()


lookup.register_fake(float32_like)
lookup.register_autograd(lambda ctx, grad: (None,) * 3)
