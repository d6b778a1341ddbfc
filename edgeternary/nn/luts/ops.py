"""The eval-mode forward passes of table networks as torch.library operators; bits are floats 0 and 1."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.library import custom_op

from edgeternary.nn.luts.gradients import addresses
from edgeternary.nn.ops import conv_size, padded


@custom_op("edgeternary::compare", mutates_args=())
def compare(x: Tensor, source: Tensor, t: Tensor) -> Tensor:
    """x (N, C, ...) codes -> bits (N, J, ...): x[:, source[j]] >= t[j]; source and t int32 (J,)."""
    limit = t.view(-1, *[1] * (x.dim() - 2))
    return (x.index_select(1, source) >= limit).to(x.dtype)


@compare.register_fake
def _(x: Tensor, source: Tensor, t: Tensor) -> Tensor:
    return x.new_empty((x.shape[0], source.shape[0], *x.shape[2:]))


@custom_op("edgeternary::lut", mutates_args=())
def lut(
    x: Tensor,
    wiring: Tensor,
    tables: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
) -> Tensor:
    """Bits (N, J), or (N, C, H, W) with a window -> bits (N, L), or (N, L, OH, OW).

    wiring int32 (L, F) indexes the window, flattened in the order (c, ky, kx); tables (L, 2^F) of 0 and 1.
    pad: (top, left, bottom, right), bits that are not set.
    """
    columns = unfolded(x, kernel, stride, pad) if x.dim() == 4 else x.t()
    result = tables.to(x.dtype).gather(1, addresses((columns > 0).to(torch.uint8), wiring))
    return folded(result, x, kernel, stride, pad) if x.dim() == 4 else result.t().contiguous()


@lut.register_fake
def _(
    x: Tensor,
    wiring: Tensor,
    tables: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
) -> Tensor:
    shape = map_size(x, kernel, stride, pad) if x.dim() == 4 else ()
    return x.new_empty((x.shape[0], wiring.shape[0], *shape))


def map_size(x: Tensor, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int]) -> tuple[int, int]:
    """(OH, OW) of the windows of x (N, C, H, W)."""
    (ky, kx), (sy, sx), (top, left, bottom, right) = kernel, stride, pad
    _, _, h, w = x.shape
    return conv_size(h, top, bottom, ky, sy), conv_size(w, left, right, kx, sx)


def unfolded(x: Tensor, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int]) -> Tensor:
    """Windows of x (N, C, H, W) as columns (C * ky * kx, N * OH * OW)."""
    (ky, kx), (sy, sx) = kernel, stride
    wide = padded(x, pad, 0).transpose(0, 1)  # (C, N, H, W)
    if (ky, kx, sy, sx) == (1, 1, 1, 1):
        return wide.reshape(wide.shape[0], -1)
    view = wide.unfold(2, ky, sy).unfold(3, kx, sx)  # (C, N, OH, OW, ky, kx)
    return view.permute(0, 4, 5, 1, 2, 3).reshape(wide.shape[0] * ky * kx, -1)


def folded(y: Tensor, x: Tensor, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int]) -> Tensor:
    """Columns (L, N * OH * OW) as maps (N, L, OH, OW), of windows of x."""
    return y.view(len(y), x.shape[0], *map_size(x, kernel, stride, pad)).transpose(0, 1)


@custom_op("edgeternary::group_count", mutates_args=())
def group_count(x: Tensor, ends: Tensor, bias: Tensor) -> Tensor:
    """Bits (N, n) -> (N, G): bias[g] + the bits set among channels ends[g - 1] .. ends[g] - 1."""
    below = F.pad((x > 0).to(x.dtype).cumsum(1), (1, 0)).index_select(1, ends)
    return torch.diff(below, dim=1, prepend=below.new_zeros(len(x), 1)) + bias


@group_count.register_fake
def _(x: Tensor, ends: Tensor, bias: Tensor) -> Tensor:
    return x.new_empty((x.shape[0], ends.shape[0]))
