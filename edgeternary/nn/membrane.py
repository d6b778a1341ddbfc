"""Membrane potentials as integers: what eval mode and train mode of the spiking layers compute.

    i = clamp(2^f * x + b[c], LO, HI)                     x: accumulators, f: fraction bits
    u = clamp(v - (v >> k) + i, LO, HI)                   k: decay by shift; no decay without it
    s = 1 where u >= theta[c], else 0
    v = u - theta[c] * s

The shift rounds towards minus infinity in both modes, so the network learns with the potentials that it will
have. Samples and their steps share the first axis, steps of a sample side by side: (N * steps, C, ...).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.library import custom_op

from edgeternary.nn.elementwise import rows_of
from edgeternary.nn.ops import float32_like
from edgeternary.nn.surrogates import Slope
from edgeternary.ops.neuron import HI, LO, MOST, TOTAL

__all__ = ["HI", "LO", "MOST", "TOTAL", "accumulate", "by_step", "lif", "spread", "thresholds", "train_lif"]


def by_step(x: Tensor, steps: int) -> Tensor:
    """(N * steps, ...) as (N, steps, ...)."""
    return x.reshape(-1, steps, *x.shape[1:])


def spread(row: Tensor, rank: int) -> Tensor:
    """(C,) so that it broadcasts along axis 1 of a tensor of `rank` axes."""
    return row.reshape(-1, *([1] * (rank - 2)))


def decayed(v: Tensor, shift: int) -> Tensor:
    """v - floor(v / 2^shift); v itself for a shift of 0. Exact for integers in float32 as in int64."""
    if shift == 0:
        return v
    return v - (v >> shift if v.dtype == torch.int64 else (v * 2.0**-shift).floor_())


@custom_op("edgeternary::thresholds", mutates_args=())
def thresholds(
    mean: Tensor, var: Tensor, threshold: Tensor, bias: Tensor, eps: float, fraction: int, start: float
) -> Tensor:
    """Batch-norm and threshold in units of the potential: (3, C) int64 rows b, theta and v before a sample.

    With d = 2^f * sqrt(var + eps): b = round(bias * d - 2^f * mean), theta = round(|threshold| * d), at least
    1, and v = floor(start * theta). Float64, one elementary operation at a time.
    """
    mean_, var_, threshold_, bias_ = (p.detach().cpu().double().numpy() for p in (mean, var, threshold, bias))
    unit = np.sqrt(var_ + eps) * 2.0**fraction
    b = np.floor(bias_ * unit - mean_ * 2.0**fraction + 0.5)
    theta = np.clip(np.floor(np.abs(threshold_) * unit + 0.5), 1, MOST)
    rows = np.stack([np.clip(b, 2 * LO, -2 * LO), theta, np.floor(theta * start)])
    return torch.from_numpy(rows.astype(np.int64))


@custom_op("edgeternary::lif", mutates_args=())
def lif(x: Tensor, rows: Tensor, steps: int, shift: int, fraction: int) -> Tensor:
    """Spikes (N * steps, C, ...) of accumulators of that shape, in int64; rows as `thresholds` gives them."""
    b, theta, start = (spread(row, x.dim()) for row in rows)
    drive = by_step((x.long() * (1 << fraction) + b).clamp(LO, HI), steps)
    v, spikes = start.expand_as(drive[:, 0]), torch.empty_like(drive)
    for t in range(steps):
        u = (decayed(v, shift) + drive[:, t]).clamp(LO, HI)
        spikes[:, t] = u >= theta
        v = u - theta * spikes[:, t]
    return spikes.flatten(0, 1).float()


@custom_op("edgeternary::accumulate", mutates_args=())
def accumulate(x: Tensor, bias: Tensor, steps: int) -> Tensor:
    """Running sums clamp(sum + x + bias[c], -TOTAL, TOTAL) over a sample's steps, (N * steps, C)."""
    rise = by_step(x.long() + bias.long(), steps)
    total, sums = torch.zeros_like(rise[:, 0]), torch.empty_like(rise)
    for t in range(steps):
        total = (total + rise[:, t]).clamp(-TOTAL, TOTAL)
        sums[:, t] = total
    return sums.flatten(0, 1).float()


thresholds.register_fake(rows_of)
lif.register_fake(float32_like)
accumulate.register_fake(float32_like)


class _Lif(torch.autograd.Function):
    """The time loop of train mode. The reset carries no gradient to the spike that caused it."""

    @staticmethod
    def forward(
        ctx: Any, drive: Tensor, theta: Tensor, start: Tensor, unit: Tensor, shift: int, slope: Slope
    ) -> Tensor:
        potential, spikes = drive.new_empty(drive.shape), drive.new_empty(drive.shape)
        v = start
        for t in range(drive.shape[1]):
            u = torch.add(decayed(v, shift), drive[:, t], out=potential[:, t]).clamp_(LO, HI)
            torch.ge(u, theta, out=spikes[:, t])
            v = torch.addcmul(u, theta, spikes[:, t], value=-1)
        ctx.save_for_backward(potential, spikes, theta, unit)
        ctx.shift, ctx.slope = shift, slope
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        potential, spikes, theta, unit = ctx.saved_tensors
        near = (ctx.slope((potential - theta) / unit) * grads[0]).div_(unit)  # d loss / d u by the spike
        gdrive = torch.empty_like(near)
        keep = 1.0 - 2.0**-ctx.shift if ctx.shift else 1.0
        gv = torch.zeros_like(near[:, 0])  # d loss / d v after the step
        gtheta = near.sum((0, 1)).neg_()
        for t in reversed(range(near.shape[1])):
            gtheta -= (gv * spikes[:, t]).sum(0)
            gu = torch.add(near[:, t], gv, out=gdrive[:, t])
            gv = gu * keep
        axes = [axis for axis in range(gtheta.dim()) if theta.shape[axis] == 1 and gtheta.shape[axis] > 1]
        return gdrive, gtheta.sum(axes, keepdim=True) if axes else gtheta, None, None, None, None


def train_lif(
    drive: Tensor,
    rows: tuple[Tensor, Tensor, Tensor],
    steps: int,
    shift: int,
    slope: Slope,
    constant: bool = False,
) -> Tensor:
    """Spikes of integer drives (N * steps, C, ...), with gradients; rows: theta, start and unit, (C,) each.

    constant: the drives are (N, C, ...), the same at every step.

    slope: the surrogate's, at (u - theta) / unit: distances in deviations of the drive.
    """
    wide = [spread(row, drive.dim()) for row in rows]
    if constant:
        drives = drive[:, None].expand(-1, steps, *drive.shape[1:])
    else:
        drives = by_step(drive, steps)
    spikes: Tensor = _Lif.apply(drives, *wide, shift, slope)
    return spikes.flatten(0, 1)
