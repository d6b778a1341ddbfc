"""Pools over (N, C, H, W) or (N, C, L): maximum, and sums that a quantiser turns into averages."""

import math

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
    """Sum over windows without padding, integers in and out. kernel None: over the whole map."""

    def __init__(
        self, kernel: int | tuple[int, int] | None = None, stride: int | tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride or kernel

    def window(self, x: Tensor) -> tuple[int, int]:
        """(ky, kx) for an input x."""
        if self.kernel is None:
            return (1, x.shape[-1]) if x.dim() == 3 else (x.shape[-2], x.shape[-1])
        return (1, pair(self.kernel)[1]) if x.dim() == 3 else pair(self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.window(x)
        stride = kernel if self.stride is None else pair(self.stride)
        if x.dim() == 3:
            return ops.sum_pool(x.unsqueeze(2), kernel, (1, stride[1])).squeeze(2)
        if self.training:
            return F.avg_pool2d(x, kernel, stride, divisor_override=1)
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
