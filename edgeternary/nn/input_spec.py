"""What the codes of an input mean: scale and zero of the sensor, mean and deviation of the float model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.levels import levels

Numbers = float | Sequence[float]
FINEST = 2.0**-22  # of a zero point's distance from 0: codes minus zero points stay exact in float32


@dataclass(frozen=True)
class InputSpec:
    """What a code means. Each number is one for all channels, or one for each.

        sensor = (code - zero) * scale        what the device measures: see quantize()
        value  = (sensor - mean) / std        what the float model was trained on

    type   the type of the codes: "uint8", "int8", "int16", ...
    scale  the size of one step;  zero  the code of the sensor value 0
    axis   the axis of the channels in a batch: 1 for (N, C, ...), -1 for (N, T, C), (N, H, W, C) and tables
    mean, std  the normalisation of the float model's data, in the units of the sensor

        InputSpec.normalized((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))      # ToTensor and Normalize
        InputSpec.from_data(x, "int8", "NTC")                                   # series, channels last
        InputSpec.from_data(x, "int16", "NC", scaler.mean_, scaler.scale_)      # a table, its StandardScaler
    """

    type: str = "uint8"
    scale: Numbers = 1.0
    zero: Numbers = 0.0
    axis: int = 1
    mean: Numbers = 0.0
    std: Numbers = 1.0

    def __post_init__(self) -> None:
        for name in ("scale", "std"):
            least = min(_list(getattr(self, name)))
            if not 0 < least < float("inf"):
                raise EdgeTernaryError(f"an InputSpec has a {name} of {least}", "it must be above 0")

    @staticmethod
    def normalized(mean: Numbers, std: Numbers, type: str = "uint8", layout: str = "NCHW") -> InputSpec:
        """Pixels as ToTensor (x / 255) and Normalize(mean, std) hand them to the float model.

        The sensor value is the pixel as ToTensor gives it, from 0 to 1.
        """
        return InputSpec(type, 1 / levels(type).hi, 0.0, _axis(layout), _one(_list(mean)), _one(_list(std)))

    @staticmethod
    def from_data(
        x: Any,
        type: str = "int8",
        layout: str = "",
        mean: Numbers = 0.0,
        std: Numbers = 1.0,
        per_channel: bool = True,
    ) -> InputSpec:
        """The steps with which the codes of `type` hold all of x, a batch of sensor values.

        layout: a letter for each axis, N for samples and C for channels: "NCHW", "NCL", "NTC", "NC"; if it
        is not given, the channels are axis 1. mean, std: of the float model's normalisation, such as those
        of a StandardScaler. Signed types are symmetric around `mean`, whose code is 0 or nearly so; unsigned
        types reach from the least value, or 0 if that is less, to the greatest. Zero points are integers.
        """
        x = torch.as_tensor(x)
        axis = _axis(layout, x)
        if not x.numel() or not torch.isfinite(x).all():
            raise EdgeTernaryError("the data is empty, or holds NaN or infinity", "", "clean it first")
        kind, rows = levels(type), x.double().transpose(0, axis).reshape(x.shape[axis], -1)
        rows = rows if per_channel else rows.reshape(1, -1)
        means = torch.tensor(_list(mean), dtype=torch.float64)
        if len(means) not in (1, len(rows)):
            raise EdgeTernaryError(
                f"there are {len(means)} means",
                f"the data has {len(rows)} channels" if per_channel else "one scale holds all channels",
                "give one mean, or one for each channel",
            )
        if kind.lo < 0:
            centre, zero_at = means.expand(len(rows)), 0.0
            width = (rows - centre[:, None]).abs().amax(1) / kind.hi
        else:
            centre = rows.amin(1).clamp_max(0) if not means.any() else rows.amin(1)
            width, zero_at = (rows.amax(1) - centre).clamp_min(0) / (kind.hi - kind.lo), float(kind.lo)
        width = torch.where(width > 0, width, torch.ones_like(width))
        scale = torch.maximum(width, centre.abs() * FINEST)
        zero = torch.round(zero_at - centre / scale)
        return InputSpec(
            type, _one(scale.tolist()), _one(zero.tolist()), axis, _one(_list(mean)), _one(_list(std))
        )

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

    @property
    def per_channel(self) -> bool:
        """Whether the channels have scales or zero points of their own."""
        return len({*_list(self.scale)}) > 1 or len({*_list(self.zero)}) > 1

    def affine(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(step, offset), value = code * step + offset; without axes, or as they broadcast against x."""
        scale, zero, mean, std = self._numbers(x)
        step, offset = scale / std, (-zero * scale - mean) / std
        if step.numel() == offset.numel() == 1:
            return step.reshape(()).float(), offset.reshape(()).float()
        return step.float(), offset.float()

    def codes(self, values: Tensor) -> Tensor:
        """Codes of what the float model takes; without `mean` and `std` the same as quantize()."""
        mean, std = self._numbers(values)[2:]
        plain = not mean.any() and bool((std == 1).all())
        return self.quantize(values if plain else (values.double() * std + mean).float())

    def quantize(self, sensor: Tensor) -> Tensor:
        """Codes of sensor values, as edgeternary.quantize and <model>_quantize in C compute them.

        clamp(round(sensor / scale) + zero) in float32, ties to the even integer; lo where it is no number.
        Zero points that are not integers, which a graph does not have, are added before the rounding.
        """
        scale, zero = self._numbers(sensor)[:2]
        kind, whole = levels(self.type), zero.round()
        q = sensor.float() / scale.float()
        if kind.gap == 2:
            return torch.where(q >= -zero, 1.0, -1.0)
        rounded = torch.round(q if bool((zero == whole).all()) else q + (zero - whole).float())
        return (rounded.double() + whole).nan_to_num(kind.lo).clamp(kind.lo, kind.hi).float()

    def values(self, codes: Tensor) -> Tensor:
        """What the float model takes for codes: ((code - zero) * scale - mean) / std."""
        scale, zero, mean, std = self._numbers(codes)
        return ((((codes.double() - zero) * scale) - mean) / std).float()

    def _numbers(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scale, zero, mean and std in float64, shaped so that they broadcast against the batch x."""
        shape = [1] * x.dim()
        shape[self.axis] = -1
        count = x.shape[self.axis]
        each = []
        for name in ("scale", "zero", "mean", "std"):
            one = _list(getattr(self, name))
            if len(one) not in (1, count):
                raise EdgeTernaryError(
                    f"the input has {len(one)} values of {name}",
                    f"axis {self.axis} of the batch {tuple(x.shape)} has {count} channels",
                    "give one number, or one for each channel; say which axis is theirs by layout='NTC', say",
                )
            each.append(torch.tensor(one, dtype=torch.float64).reshape(shape))
        return each[0], each[1], each[2], each[3]


def _axis(layout: str, x: Tensor | None = None) -> int:
    """The axis of the channels, from the names of all axes."""
    rank = len(layout) if x is None else x.dim()
    fits = layout[:1] == "N" and layout.count("C") == 1 and len(set(layout)) == len(layout) == rank
    if layout and not fits:
        given = "" if x is None else f"the data has {rank} axes, {tuple(x.shape)}; "
        raise EdgeTernaryError(
            f"{layout[:20]!r} is no layout of this input",
            f"{given}a layout has a letter for each axis, N for samples first, and one C for channels",
            "write NCHW, NHWC, NCL, NTC or NC",
        )
    axis = layout.index("C") if layout else 1
    return -1 if layout and axis == len(layout) - 1 > 1 else axis


def _list(given: Any) -> list[float]:
    plain = given.tolist() if hasattr(given, "tolist") else given
    return [float(n) for n in plain] if isinstance(plain, Sequence) else [float(plain)]


def _one(each: list[float]) -> Numbers:
    return each[0] if len(set(each)) == 1 else tuple(each)
