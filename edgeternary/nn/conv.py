"""Convolutions over integer codes: explicit integer padding, groups, accumulators out."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from edgeternary.nn import ops
from edgeternary.nn.linear import Logits, Quantized


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
    BatchNorm and Activation. dilation: the distance of two taps; the graph holds zeros between them.
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
        dilation: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__((outputs, inputs // groups, *pair(kernel)), weights, surrogate)
        self.stride, self.pad, self.pad_value, self.groups = pair(stride), four(pad), pad_value, groups
        self.dilation = pair(dilation)

    def convolve(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        codes = self.codes()
        if not self.training:
            wide = ops.dilated(codes, self.dilation)
            return ops.conv2d(x, wide, self.stride, self.pad, self.pad_value, self.groups, bias)
        top, left, bottom, right = self.pad
        inside: dict[str, Any] = {"stride": self.stride, "dilation": self.dilation, "groups": self.groups}
        if self.pad_value == 0 and (top, left) == (bottom, right):
            return F.conv2d(x, codes, bias, padding=(top, left), **inside)
        return F.conv2d(ops.padded(x, self.pad, self.pad_value), codes, bias, **inside)

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
        dilation: int = 1,
    ) -> None:
        left, right = pair(pad)
        window = (1, kernel), (1, stride), (0, left, 0, right)
        super().__init__(inputs, outputs, *window, pad_value, groups, weights, surrogate, (1, dilation))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x.unsqueeze(2)).squeeze(2)


class OutputConv2d(Logits, Conv2d):
    """The last layer of a network that labels maps: x (N, C, H, W) codes -> logits (N, classes, OH, OW).

    As in Output, one scale serves all classes and the bias is an integer. average: the logits are the mean
    over the map, (N, classes, 1, 1). rank 1: x is (N, C, L), and the window is 1 high.
    """

    def __init__(
        self, inputs: int, classes: int, kernel: int | tuple[int, int] = 1, average: bool = False,
        rank: int = 2, codes: str | int = 4, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(inputs, classes, kernel, **options)
        self.average, self.rank = average, rank
        self.start_logits(classes, self.weight[0].numel(), codes)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(2) if self.rank == 1 else x
        scale = self.logit_scale()
        bias = self.train_bias(scale) if self.training else self.quantized_bias()
        y = self.convolve(x, bias)
        if self.average:
            count = y.shape[2] * y.shape[3]
            window = [y.shape[2], y.shape[3]]
            total = (
                F.avg_pool2d(y, window, divisor_override=1)
                if self.training
                else ops.sum_pool(y, window, window)
            )
            y, scale = total, scale / count
        y = y.squeeze(2) if self.rank == 1 else y
        return y * scale
