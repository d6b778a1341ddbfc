"""Layers that join, reshape or scale: Residual, Add, Mul, Concat; Flatten, Upsample; Scale."""

import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import ops
from edgeternary.nn.activations import Activation, positive
from edgeternary.nn.conv import pair
from edgeternary.nn.norm import Requantize
from edgeternary.ops.upsample import FILLS


class Flatten(nn.Module):
    """(N, C, H, W) -> (N, C*H*W) in torch's order; lowering makes it channels-last."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class Upsample(nn.Module):
    """A map that is larger by whole factors, codes in and out; the gradient flows.

    (N, C, H, W) -> (N, C, H * fy, W * fx), and (N, C, L) -> (N, C, L * fx). factor: (fy, fx), or one number
    for both. fill "repeat": each pixel fy * fx times (torch's mode "nearest"); "zero": each pixel once, with
    zeros on its right and below, as a transposed convolution of stride (fy, fx) reads its input. 0 must be a
    code, so not of bipolar ones.
    """

    def __init__(self, factor: int | tuple[int, int], fill: str = "repeat") -> None:
        super().__init__()
        self.factor, self.fill = pair(factor), fill
        if min(self.factor) < 1 or fill not in FILLS:
            raise EdgeTernaryError(
                f"Upsample({factor!r}, {fill!r}) is not possible",
                f"a factor is an integer from 1 on, and a fill is one of {', '.join(FILLS)}",
                'write Upsample(2), or Upsample((1, 2), "zero")',
            )

    def forward(self, x: Tensor) -> Tensor:
        fy, fx = self.factor if x.dim() == 4 else (1, self.factor[1])
        if fy == fx == 1:
            return x
        if x.dim() == 3:
            return ops.upsample(x.unsqueeze(2), (1, fx), self.fill).squeeze(2)
        return ops.upsample(x, (fy, fx), self.fill)

    def extra_repr(self) -> str:
        return f"{self.factor}, {self.fill!r}"


class Add(nn.Module):
    """a + b of two tensors of codes, (N, C, ...) of one shape, an integer.

    The codes must count in one step size, which the caller sees to: both quantisers share the parameter
    `scale` (as in Residual), or both are bipolar. This layer does not check it.
    """

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Mul(nn.Module):
    """a * b of two tensors of codes, an integer whose step size is the product of both.

    (N, C, ...) of one shape; one of them may be a gate for each channel, of a single pixel (N, C, 1, 1) or
    (N, C), as squeeze-and-excitation has it, and the graph spreads it over the map. Products stay below 2^24.
    """

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return ops.mul(a, b)


def last_quantizer(module: nn.Module) -> Activation | Requantize | None:
    """The Activation or Requantize that `module` ends in, if it does."""
    while isinstance(module, nn.Sequential) and len(module):
        module = module[-1]
    return module if isinstance(module, (Activation, Requantize)) else None


class Residual(nn.Module):
    """body(x) + shortcut(x), a sum of codes that count in one shared step size, which this layer owns.

    Both branches end in an Activation or Requantize of kind intN, uintN, ternary or binary, or both in
    bipolar; without `shortcut` x itself is added, so x must be codes. The sum is an integer: put BatchNorm
    and Activation after it.
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        ends = [last_quantizer(branch) for branch in (body, *([] if shortcut is None else [shortcut]))]
        if any(end is None for end in ends):
            raise EdgeTernaryError(
                "a branch of a Residual does not end in an Activation",
                "accumulators of different layers have different scales and cannot be added as integers",
                "end both branches with an Activation of the same kind",
            )
        scaled = [end for end in ends if end is not None and end.levels.gap == 1]
        if scaled and len(scaled) != len(ends):
            raise EdgeTernaryError(
                "the branches of a Residual count in different steps",
                "one ends in bipolar codes, whose step is 2, the other in codes with a step of 1",
                "end both branches with an Activation of the same kind",
            )
        if scaled:
            mean = torch.stack([end.scale.detach() for end in scaled]).mean()
            self.scale = nn.Parameter(mean, requires_grad=all(end.learns_scale for end in scaled))
            for end in scaled:
                end.scale = self.scale

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class Concat(nn.Module):
    """Codes side by side along the channels; the quantisers that make them share one step size.

    It leaves the scales alone: whoever builds it gives the quantisers one `scale`, as Residual does.
    """

    def forward(self, *parts: Tensor) -> Tensor:
        return torch.cat(parts, 1)


class Scale(nn.Module):
    """Integers times one positive scale: the end of a network whose output is no Output's."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, x: Tensor) -> Tensor:
        return x * positive(self.scale)
