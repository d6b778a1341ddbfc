"""Image augmentation on raw integer codes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(x: Tensor, flip: bool, shift: int, generator: torch.Generator) -> Tensor:
    """x (N, C, H, W): mirrors each image with probability 1/2, moves it by up to `shift` pixels."""
    n, _, h, w = x.shape
    if flip:
        mirrored = torch.rand(n, generator=generator) < 0.5
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    if shift:
        wide = F.pad(x, (shift, shift, shift, shift))
        rows, columns = (
            torch.randint(0, 2 * shift + 1, (n, 1), generator=generator) + torch.arange(size)
            for size in (h, w)
        )
        sample = torch.arange(n)[:, None, None]
        x = wide.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return x
