"""Convolutions over integer codes: explicit integer padding, groups, accumulators out."""

import torch.nn.functional as F
from torch import Tensor

from edgeternary.nn import ops
from edgeternary.nn.linear import Quantized


def pair(v: int | tuple[int, int]) -> tuple[int, int]:
    return (v, v) if isinstance(v, int) else (v[0], v[1])


def four(pad: int | tuple[int, ...]) -> tuple[int, int, int, int]:
    """Paddings as (top, left, bottom, right) from one number, (vertical, horizontal) or all four."""
    if isinstance(pad, int):
        return (pad, pad, pad, pad)
    return (pad[0], pad[1], pad[0], pad[1]) if len(pad) == 2 else (pad[0], pad[1], pad[2], pad[3])


class Conv2d(Quantized):
    """x (N, C, H, W) codes -> (N, out, OH, OW) integer accumulators.

    pad: one number, (vertical, horizontal) or (top, left, bottom, right). pad_value: the code outside the
    image; it must be a code of the input's type (for bipolar maps -1 or +1, never 0). Follow it with
    BatchNorm and Activation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        pad: int | tuple[int, ...] = 0,
        pad_value: int = 0,
        groups: int = 1,
        weights: str | int = "ternary",
        surrogate: str = "identity",
    ) -> None:
        super().__init__((outputs, inputs // groups, *pair(kernel)), weights, surrogate)
        self.stride, self.pad, self.pad_value, self.groups = pair(stride), four(pad), pad_value, groups

    def convolve(self, x: Tensor) -> Tensor:
        codes = self.codes()
        if not self.training:
            return ops.conv2d(x, codes, self.stride, self.pad, self.pad_value, self.groups)
        top, left, bottom, right = self.pad
        if self.pad_value == 0 and (top, left) == (bottom, right):
            return F.conv2d(x, codes, stride=self.stride, padding=(top, left), groups=self.groups)
        wide = ops.padded(x, self.pad, self.pad_value)
        return F.conv2d(wide, codes, stride=self.stride, groups=self.groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x)


class Conv1d(Conv2d):
    """x (N, C, L) codes -> (N, out, OL) accumulators; in the graph a convolution over a height of 1.

    pad: one number or (left, right).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        pad: int | tuple[int, int] = 0,
        pad_value: int = 0,
        groups: int = 1,
        weights: str | int = "ternary",
        surrogate: str = "identity",
    ) -> None:
        left, right = pair(pad)
        window = (1, kernel), (1, stride), (0, left, 0, right)
        super().__init__(inputs, outputs, *window, pad_value, groups, weights, surrogate)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x.unsqueeze(2)).squeeze(2)
