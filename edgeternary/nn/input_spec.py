"""What the codes of an input mean to the float model: type, scale, zero point, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.levels import levels

Numbers = float | Sequence[float]


@dataclass(frozen=True)
class InputSpec:
    """value = (code - zero) * scale, one scale and zero for all, or one of each for each channel.

    type   the type of the codes: "uint8", "int8", "int16", ...
    scale  the size of one step;  zero  the code of the value 0, not always an integer (a mean of pixels)
    axis   the axis of the channels in a batch: 1 for (N, C, ...), -1 for (N, T, C) and tables (N, C)

        InputSpec.normalized((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))   # ToTensor and Normalize
        InputSpec.from_data(x, "int8")                                       # series (N, C, L), tables (N, C)
    """

    type: str = "uint8"
    scale: Numbers = 1.0
    zero: Numbers = 0.0
    axis: int = 1

    @staticmethod
    def normalized(mean: Numbers, std: Numbers, type: str = "uint8") -> InputSpec:
        """Pixels as ToTensor (x / 255) and Normalize(mean, std) hand them to the float model."""
        top = levels(type).hi
        means, stds = _list(mean), _list(std)
        if min(stds) <= 0:
            raise EdgeTernaryError(f"a standard deviation is {min(stds)}", "it must be above 0", "check std")
        return InputSpec(type, _one([1 / (top * s) for s in stds]), _one([top * m for m in means]))

    @staticmethod
    def from_data(x: Tensor, type: str = "int8", axis: int = 1, per_channel: bool = True) -> InputSpec:
        """The steps with which the codes of `type` hold all of x, a batch of float values.

        Signed types are symmetric around the value 0; unsigned ones reach from the least value to the
        greatest, and their zero point is an integer.
        """
        if not x.numel() or not torch.isfinite(x).all():
            raise EdgeTernaryError("the data is empty, or holds NaN or infinity", "", "clean it first")
        kind, rows = levels(type), x.double().transpose(0, axis).reshape(x.shape[axis], -1)
        rows = rows if per_channel else rows.reshape(1, -1)
        lo, hi = rows.amin(1).clamp_max(0), rows.amax(1).clamp_min(0)
        if kind.lo < 0:
            scale = torch.maximum(hi, -lo).clamp_min(1e-12) / kind.hi
            return InputSpec(type, _one(scale.tolist()), 0.0, axis)
        scale = (hi - lo).clamp_min(1e-12) / (kind.hi - kind.lo)
        return InputSpec(type, _one(scale.tolist()), _one(torch.round(-lo / scale).tolist()), axis)

    @staticmethod
    def raw(example: Tensor) -> InputSpec:
        """Codes that are values: the narrowest of uint8, int8, int16 and uint16 that holds the example."""
        lo, hi = float(example.min()), float(example.max())
        for name in ("uint8", "int8", "int16", "uint16"):
            if levels(name).lo <= lo and hi <= levels(name).hi:
                return InputSpec(name)
        return InputSpec("int16")

    @property
    def whole_zero(self) -> int | tuple[int, ...] | None:
        """The zero points as integers, if they are."""
        each = _list(self.zero)
        if any(z != round(z) for z in each):
            return None
        whole = tuple(int(z) for z in each)
        return whole[0] if len(set(whole)) == 1 else whole

    def numbers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and zero in float32, shaped so that they broadcast against the batch x."""
        shape = [1] * x.dim()
        shape[self.axis] = -1
        count = x.shape[self.axis]
        each = []
        for name, given in (("scale", self.scale), ("zero", self.zero)):
            one = _list(given)
            if len(one) not in (1, count):
                raise EdgeTernaryError(
                    f"the input has {len(one)} values of {name}",
                    f"axis {self.axis} of the batch {tuple(x.shape)} has {count} channels",
                    "give one number, or one for each channel",
                )
            each.append(torch.tensor(one, dtype=torch.float32).reshape(shape))
        return each[0], each[1]

    def codes(self, values: Tensor) -> Tensor:
        """Codes of float values as the float model takes them: clamp(round(value / scale) + zero).

        For integer zero points these are the codes of edgeternary.quantize and of C.
        """
        scale, zero = self.numbers(values)
        kind, whole = levels(self.type), zero.round()
        return (torch.round(values.float() / scale + (zero - whole)) + whole).clamp(kind.lo, kind.hi)

    def values(self, codes: Tensor) -> Tensor:
        """What the float model takes for codes: (code - zero) * scale."""
        scale, zero = self.numbers(codes)
        return (codes.float() - zero) * scale


def _list(given: Numbers) -> list[float]:
    plain = given.tolist() if isinstance(given, Tensor) else given
    return [float(n) for n in plain] if isinstance(plain, Sequence) else [float(plain)]


def _one(each: list[float]) -> Numbers:
    return each[0] if len(set(each)) == 1 else tuple(each)
