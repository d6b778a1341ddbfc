"""Pools over (N, C, H, W) or (N, C, L): maximum, and sums that a quantiser turns into averages."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import ops
from edgeternary.nn.activations import Activation
from edgeternary.nn.conv import pair


class MaxPool(nn.Module):
    """Maximum over windows of accumulators (before batch-norm) or codes, padded with -infinity."""

    def __init__(
        self, kernel: int | tuple[int, int], stride: int | tuple[int, int] | None = None, pad: int = 0
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.pad = kernel, stride or kernel, pad

    def forward(self, x: Tensor) -> Tensor:
        pool = F.max_pool1d if x.dim() == 3 else F.max_pool2d
        return pool(x, self.kernel, self.stride, self.pad)

    def extra_repr(self) -> str:
        return f"{self.kernel}, stride={self.stride}, pad={self.pad}"


class SumPool(nn.Module):
    """Sum over windows, integers in and out. kernel None: over the whole map.

    pad: (top, left, bottom, right) of zeros, which the input must have as a code.
    """

    def __init__(
        self,
        kernel: int | tuple[int, int] | None = None,
        stride: int | tuple[int, int] | None = None,
        pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.pad = kernel, stride or kernel, pad

    def window(self, x: Tensor) -> tuple[int, int]:
        """(ky, kx) for an input x."""
        if self.kernel is None:
            return (1, x.shape[-1]) if x.dim() == 3 else (x.shape[-2], x.shape[-1])
        return (1, pair(self.kernel)[1]) if x.dim() == 3 else pair(self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.window(x)
        stride = kernel if self.stride is None else pair(self.stride)
        if x.dim() == 3:
            return self._sums(x.unsqueeze(2), kernel, (1, stride[1])).squeeze(2)
        return self._sums(x, kernel, stride)

    def _sums(self, x: Tensor, kernel: tuple[int, int], stride: tuple[int, int]) -> Tensor:
        if any(self.pad) and not self.training:  # a convolution whose weights are 1 can be padded
            ones = torch.ones(x.shape[1], 1, *kernel)
            return ops.conv2d(x, ones, stride, self.pad, 0, x.shape[1])
        if self.training:
            return F.avg_pool2d(ops.padded(x, self.pad, 0), kernel, stride, divisor_override=1)
        return ops.sum_pool(x, kernel, stride)

    def extra_repr(self) -> str:
        return f"{self.kernel}, stride={self.stride}"


class AvgPool(nn.Module):
    """Average pool as a sum and a quantiser: codes in, codes of `activation` out.

    The average leaves the integers, so a quantiser is required; it is what the sum is compared with.
    """

    def __init__(
        self,
        kernel: int | tuple[int, int] | None,
        activation: Activation | None = None,
        stride: int | tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        if activation is None:
            raise EdgeTernaryError(
                "AvgPool has no quantiser",
                "an average is not an integer, and only integers travel between layers",
                "give it one: AvgPool(2, Activation(4)), or use SumPool, BatchNorm and an Activation",
            )
        self.sum = SumPool(kernel, stride)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.sum(x) / math.prod(self.sum.window(x)))


class GlobalAvgPool(AvgPool):
    """AvgPool over the whole map: (N, C, H, W) -> (N, C, 1, 1). Follow it with Flatten."""

    def __init__(self, activation: Activation | None = None) -> None:
        super().__init__(None, activation)
