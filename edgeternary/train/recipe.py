"""What a training run is: the model, the data and the numbers. A recipe is data; the trainer reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from edgeternary.train.data import Data


@dataclass(frozen=True)
class Recipe:
    """A recipe module holds one of these as RECIPE.

    model: makes the untrained network. shape: of one sample as the network takes it, (C, H, W) or (n,).
    lr: peak of AdamW after `warmup` of all steps, then a cosine to zero. flip: mirror half of the images.
    shift: move images by up to so many pixels. smoothing: of labels. teacher: makes a trained network for
    samples of teacher_shape; `distill` is the weight of its softened answers (at `temperature`) in the loss.
    input_scale, input_zero: what a code means.
    """

    name: str
    model: Callable[[], nn.Module]
    data: Callable[[], Data]
    shape: tuple[int, ...]
    epochs: int
    batch: int = 128
    lr: float = 2e-3
    warmup: float = 0.03
    seed: int = 0
    flip: bool = False
    shift: int = 0
    smoothing: float = 0.0
    teacher: Callable[[], nn.Module] | None = None
    teacher_shape: tuple[int, ...] = ()
    distill: float = 0.0
    temperature: float = 2.0
    input_scale: float = 1 / 255
    input_zero: int = 0
    summary: str = ""
