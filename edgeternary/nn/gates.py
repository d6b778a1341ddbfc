"""Gates in train mode: the values of the integer tables forward, the smooth function's slope backward."""

from typing import Any

import torch
from torch import Tensor

from edgeternary.nn.gate_tables import CODES, SIGMOID, SILU


def gate_codes(z: Tensor) -> Tensor:
    """round(16 z) in -128..127: the index of a gate's table, as floats."""
    return (z * CODES).add_(0.5).floor_().clamp_(-128, 127)


class _Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        y = gate_codes(z).div_(CODES).sigmoid_().mul_(SIGMOID).add_(0.5).floor_()
        y = y.clamp_(max=SIGMOID - 1).div_(SIGMOID)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.sigmoid_backward(grads[0], y)


class _Silu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        y = torch.nn.functional.silu(gate_codes(z).div_(CODES), inplace=True)
        return y.mul_(SILU).add_(0.5).floor_().div_(SILU)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (z,) = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grads[0], z)


class _Codes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        return gate_codes(z).div_(CODES)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0]


class _Limited(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, top: float) -> Tensor:
        return y.clamp(-top, top)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def limited(y: Tensor, top: float) -> Tensor:
    """clamp(y, -top, top); backward the gradient as it is. Keeps nothing."""
    z: Tensor = _Limited.apply(y, top)
    return z


def fake_sigmoid(z: Tensor) -> Tensor:
    """sigmoid(z) as sigmoid_table gives it, over 256; backward y (1 - y). Keeps the result alone."""
    y: Tensor = _Sigmoid.apply(z)
    return y


def fake_silu(z: Tensor) -> Tensor:
    """z * sigmoid(z) as silu_table gives it, over 4096; backward the slope of SiLU at z."""
    y: Tensor = _Silu.apply(z)
    return y


def fake_codes(z: Tensor) -> Tensor:
    """z to the nearest 16th in [-8, 8); backward the gradient as it is."""
    y: Tensor = _Codes.apply(z)
    return y
