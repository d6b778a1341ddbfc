"""Augmentation of raw integer codes. The generator is called in a fixed order, so that runs repeat."""

import math

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor

from edgeternary.errors import USAGE, EdgeTernaryError


class Augment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes of each training sample, in this order. Pixels from outside the picture have code 0.

    flip        mirrors the sample with probability 1/2
    shift       moves it by up to `shift` whole pixels in both directions
    rotate, zoom, shear  limits of a random bilinear affine map, which contains the shift: degrees, fractions
    time_shift  moves it by up to `time_shift` steps along its longer side (series and spectrograms)
    scale       multiplies its codes by a factor in 1 +- scale; they stay within the range of the batch
    The results are rounded to codes.
    """

    flip: bool = False
    shift: int = 0
    rotate: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    time_shift: int = 0
    scale: float = 0.0

    def __post_init__(self) -> None:
        for name, value in msgspec.structs.asdict(self).items():
            if value < 0 or (name in ("zoom", "scale") and value >= 1):
                raise EdgeTernaryError(
                    f"augmentation {name} = {value}",
                    "it must be at least 0; zoom and scale must be below 1",
                    code=USAGE,
                )

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """x (N, C, H, W) codes -> codes of the same shape."""
        if self.flip:
            mirrored = torch.rand(len(x), generator=generator) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        if self.rotate or self.zoom or self.shear:
            x = self._affine(x, generator)
        elif self.shift:
            x = self._shift(x, generator)
        if self.time_shift:
            x = self._time_shift(x, generator)
        return self._scale(x, generator) if self.scale else x

    def _shift(self, x: Tensor, generator: torch.Generator) -> Tensor:
        n, _, h, w = x.shape
        wide = F.pad(x, (self.shift,) * 4)
        rows, columns = (
            torch.randint(0, 2 * self.shift + 1, (n, 1), generator=generator) + torch.arange(size)
            if size > 1  # a series stays in its row
            else torch.full((n, 1), self.shift)
            for size in (h, w)
        )
        sample = torch.arange(n)[:, None, None]
        return wide.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    def _affine(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Output pixel p shows input pixel M p + t, M = zoom * rotation * shear in units of the half image.

        In pictures that are not square, the ratio of the sides converts between the units of the two axes.
        """
        n, _, h, w = x.shape
        u = torch.rand((n, 5), generator=generator) * 2 - 1
        angle, shear = u[:, 0] * math.radians(self.rotate), u[:, 1] * self.shear
        zoom = 1 + u[:, 2] * self.zoom
        c, s = torch.cos(angle), torch.sin(angle)
        tx, ty = u[:, 3] * 2 * self.shift / w, u[:, 4] * 2 * self.shift / h
        rows = [
            zoom * c, zoom * (c * shear - s) * (h / w), tx,
            zoom * s * (w / h), zoom * (s * shear + c), ty,
        ]  # fmt: skip
        grid = F.affine_grid(torch.stack(rows, 1).reshape(n, 2, 3), [n, 1, h, w], align_corners=False)
        return F.grid_sample(x, grid, align_corners=False).round_()

    def _time_shift(self, x: Tensor, generator: torch.Generator) -> Tensor:
        axis, reach = (2 if x.shape[2] > x.shape[3] else 3), self.time_shift
        wide = F.pad(x, (0, 0, reach, reach) if axis == 2 else (reach, reach)).movedim(axis, 1)
        start = torch.randint(0, 2 * reach + 1, (len(x), 1), generator=generator)
        return wide[torch.arange(len(x))[:, None], start + torch.arange(x.shape[axis])].movedim(1, axis)

    def _scale(self, x: Tensor, generator: torch.Generator) -> Tensor:
        factor = 1 + self.scale * (2 * torch.rand((len(x), 1, 1, 1), generator=generator) - 1)
        return (x * factor).round().clamp(x.min(), x.max())
