"""The eval-mode forward passes as torch.library operators, so that torch.export keeps each layer whole.

Every tensor of codes or accumulators is a float tensor that holds integers. Sums stay below 2^24, so float32
adds them exactly in any order. What torch may do instead is switched off: Winograd convolutions (NNPACK),
bfloat16 under autocast, and float32 products that are rounded inside (set_float32_matmul_precision).
Everything that is not an integer (batch-norm, activation scales) runs in float64, one elementary IEEE
operation at a time, in a fixed order.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.library import custom_op
from torch.nn.grad import conv2d_input, conv2d_weight


def conv_size(size: int, before: int, after: int, kernel: int, stride: int) -> int:
    """Output length of a convolution or pool along one axis."""
    return (size + before + after - kernel) // stride + 1


def reduced(op: str) -> bool:
    """Whether products of float32 are rounded to TF32 or bfloat16 inside; op: "matmul" or "conv"."""
    getter = getattr(torch._C, "_get_fp32_precision_getter", None)  # older: one setting for both
    precision = getter("mkldnn", op) if getter else torch.get_float32_matmul_precision()
    return precision not in ("none", "ieee", "highest")


def saved(count: int) -> Callable[..., None]:
    """A setup for autograd: the first `count` inputs become saved tensors, the others ctx.rest."""

    def setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:count])
        ctx.rest = inputs[count:]

    return setup


def float32_like(x: Tensor, *rest: object) -> Tensor:
    """The fake of an operator whose result is float32 and as large as its first input."""
    return torch.empty_like(x, dtype=torch.float32)


@custom_op("edgeternary::dense", mutates_args=())
def dense(x: Tensor, codes: Tensor, bias: Tensor) -> Tensor:
    """x (N, in) codes, codes (out, in), bias (out,) integers -> (N, out) integer accumulators."""
    with torch.autocast(x.device.type, enabled=False):
        if reduced("matmul"):
            return (F.linear(x.double(), codes.double()) + bias).to(x.dtype)
        return F.linear(x, codes) + bias


@dense.register_fake
def _(x: Tensor, codes: Tensor, bias: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:-1], codes.shape[0]))


def _dense_backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x, codes = ctx.saved_tensors
    return grad @ codes, grad.flatten(0, -2).T @ x.flatten(0, -2), grad.flatten(0, -2).sum(0)


dense.register_autograd(_dense_backward, setup_context=saved(2))


@custom_op("edgeternary::conv2d", mutates_args=())
def conv2d(
    x: Tensor, codes: Tensor, stride: Sequence[int], pad: Sequence[int], pad_value: int, groups: int,
    bias: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """x (N, C, H, W), codes (out, C/groups, kh, kw), pad (top, left, bottom, right) -> accumulators.

    bias: (out,) integers, or None.
    """
    winograd = torch.backends.nnpack.flags(enabled=False)  # off by up to 0.067
    with winograd, torch.autocast(x.device.type, enabled=False):
        wide = padded(x, pad, pad_value)
        if reduced("conv"):
            whole = bias if bias is None else bias.double()
            y = F.conv2d(wide.double(), codes.double(), whole, stride=list(stride), groups=groups)
            return y.to(x.dtype)
        return F.conv2d(wide, codes, bias, stride=list(stride), groups=groups)


def padded(x: Tensor, pad: Sequence[int], value: int) -> Tensor:
    """Pads the last two axes by (top, left, bottom, right) with an integer code."""
    top, left, bottom, right = pad
    return F.pad(x, (left, right, top, bottom), value=float(value)) if any(pad) else x


def dilated(codes: Tensor, dilation: Sequence[int]) -> Tensor:
    """Weights (out, in, kh, kw) with dilation - 1 zeros between the taps of each axis."""
    dy, dx = dilation
    if (dy, dx) == (1, 1):
        return codes
    out, ins, kh, kw = codes.shape
    apart = F.pad(codes.reshape(out, ins, kh, 1, kw, 1), (0, dx - 1, 0, 0, 0, dy - 1))
    return apart.reshape(out, ins, kh * dy, kw * dx)[:, :, : kh * dy - dy + 1, : kw * dx - dx + 1]


@conv2d.register_fake
def _(
    x: Tensor, codes: Tensor, stride: Sequence[int], pad: Sequence[int], pad_value: int, groups: int,
    bias: Tensor | None = None,
) -> Tensor:  # fmt: skip
    n, _, h, w = x.shape
    out, _, kh, kw = codes.shape
    size = (conv_size(h, pad[0], pad[2], kh, stride[0]), conv_size(w, pad[1], pad[3], kw, stride[1]))
    return x.new_empty((n, out, *size))


def _conv2d_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, codes = ctx.saved_tensors
    stride, pad, pad_value, groups, bias = ctx.rest
    wide = padded(x, pad, pad_value)
    gx = conv2d_input(wide.shape, codes, grad, stride=list(stride), groups=groups)
    gw = conv2d_weight(wide, codes.shape, grad, stride=list(stride), groups=groups)
    top, left = pad[0], pad[1]
    gb = None if bias is None else grad.sum((0, 2, 3))
    return gx[..., top : top + x.shape[2], left : left + x.shape[3]], gw, None, None, None, None, gb


conv2d.register_autograd(_conv2d_backward, setup_context=saved(2))


@custom_op("edgeternary::sum_pool", mutates_args=())
def sum_pool(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """x (N, C, H, W) codes -> sums over each window, exact below 2^24."""
    return F.avg_pool2d(x, list(kernel), list(stride), divisor_override=1)


@sum_pool.register_fake
def _(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    n, c, h, w = x.shape
    return x.new_empty((n, c, (h - kernel[0]) // stride[0] + 1, (w - kernel[1]) // stride[1] + 1))


def _sum_pool_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    (x,) = ctx.saved_tensors
    kernel, stride = ctx.rest
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        y = F.avg_pool2d(leaf, list(kernel), list(stride), divisor_override=1)
    return torch.autograd.grad(y, leaf, grad)[0], None, None


sum_pool.register_autograd(_sum_pool_backward, setup_context=saved(1))


@custom_op("edgeternary::upsample", mutates_args=())
def upsample(x: Tensor, factor: Sequence[int], fill: str) -> Tensor:
    """x (N, C, H, W) codes -> (N, C, H * fy, W * fx): each pixel repeated, or with zeros after it."""
    fy, fx = factor
    if fill == "repeat":
        return x.repeat_interleave(fy, 2).repeat_interleave(fx, 3)
    y = x.new_zeros((*x.shape[:2], x.shape[2] * fy, x.shape[3] * fx))
    y[:, :, ::fy, ::fx] = x
    return y


@upsample.register_fake
def _(x: Tensor, factor: Sequence[int], fill: str) -> Tensor:
    n, c, h, w = x.shape
    return x.new_empty((n, c, h * factor[0], w * factor[1]))


def _upsample_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.rest = inputs[1:]


def _upsample_backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    (fy, fx), fill = ctx.rest
    if fill == "zero":
        return grad[:, :, ::fy, ::fx].contiguous(), None, None
    n, c, h, w = grad.shape
    return grad.reshape(n, c, h // fy, fy, w // fx, fx).sum((3, 5)), None, None


upsample.register_autograd(_upsample_backward, setup_context=_upsample_setup)


@custom_op("edgeternary::mul", mutates_args=())
def mul(a: Tensor, b: Tensor) -> Tensor:
    """a * b of codes (N, C, ...); one of them may have a single pixel, or none, (N, C). Exact below 2^24."""
    a, b = _aligned(a, b)
    return a * b


def _aligned(*xs: Tensor) -> list[Tensor]:
    """Views with axes of size 1 at the end of those that have fewer."""
    rank = max(x.dim() for x in xs)
    return [x.reshape(*x.shape, *([1] * (rank - x.dim()))) for x in xs]


@mul.register_fake
def _(a: Tensor, b: Tensor) -> Tensor:
    a, b = _aligned(a, b)
    return torch.empty_like(a * b)


def _mul_backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
    a, b = ctx.saved_tensors
    wide_a, wide_b = _aligned(a, b)
    ga, gb = (grad * wide_b).sum_to_size(wide_a.shape), (grad * wide_a).sum_to_size(wide_b.shape)
    return ga.reshape(a.shape), gb.reshape(b.shape)


mul.register_autograd(_mul_backward, setup_context=saved(2))
