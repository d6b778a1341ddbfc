"""The linear recurrence h_t = f_t h_(t-1) + (1 - f_t) c_t over whole sequences, with few passes over memory.

Its gates depend on the input alone, so every product of weights is computed for all steps at once; what is
left to do step by step is one interpolation forward and one multiply-add backward.
"""

from typing import Any

import torch
from torch import Tensor


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, f: Tensor, c: Tensor, h0: Tensor) -> Tensor:
        h, last = torch.empty_like(c), h0
        for t in range(len(c)):
            last = torch.lerp(c[t], last, f[t], out=h[t])
        ctx.save_for_backward(f, c, h0, h)
        return h

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        f, c, h0, h = ctx.saved_tensors
        total = grads[0].clone()  # d loss / d h_t, later steps included
        for t in range(len(f) - 2, -1, -1):
            total[t].addcmul_(total[t + 1], f[t + 1])
        before = torch.cat([h0[None], h[:-1]]).sub_(c)
        return before.mul_(total), total * (1 - f), total[0] * f[0] if ctx.needs_input_grad[2] else None


def linear_recurrence(f: Tensor, c: Tensor, h0: Tensor) -> Tensor:
    """All states h (T, N, C) of h_t = f_t h_(t-1) + (1 - f_t) c_t; f, c (T, N, C), h0 (N, C) the state
    before.
    """
    h: Tensor = _Recurrence.apply(f, c, h0)
    return h
