"""A data set: integer codes and labels in three parts, which are checked when it is made."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.features import Sound
from edgeternary.ir.types import parse

Array = NDArray[Any]
Split = tuple[Array, Array]
Place = str | os.PathLike[str] | None  # of files; None: where they usually lie


@dataclass(frozen=True)
class Data:
    """Each part has codes (n, height, width, channels), for series (n, 1, length, channels), and labels (n,).

    input_type   the type of the codes, which are integers
    input_scale, input_zero  a code means (code - input_zero) * input_scale; each is one number, or one number
                 for each channel
    channels     (offset, scale) of each channel, if the channels were scaled separately: the measured value
                 is offset + scale * (code - input_zero) * input_scale
    labels       a name for each class
    sound        the front end that made the codes of 16-bit samples of sound
    EdgeTernaryError for empty parts, wrong shapes or types, and codes or labels out of range.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    labels: tuple[str, ...]
    input_type: str = "uint8"
    input_scale: float | tuple[float, ...] = 1 / 255
    input_zero: int | tuple[int, ...] = 0
    channels: tuple[tuple[float, float], ...] = ()
    sound: Sound | None = None

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            x, y = getattr(self, part)
            _check_codes(f"{part} samples of {self.name}", x, self.input_type, self.train[0].shape[1:])
            _check_labels(f"{part} labels of {self.name}", y, len(x), len(self.labels))


def _check_codes(what: str, x: Array, input_type: str, shape: tuple[int, ...]) -> None:
    if x.ndim != 4 or not x.size:
        remedy = "give (samples, height, width, channels); for series, (samples, 1, length, channels)"
        raise EdgeTernaryError(
            f"{what} have shape {x.shape}", "they need 4 dimensions, none of which is 0", remedy
        )
    if x.shape[1:] != shape:
        raise EdgeTernaryError(f"{what} have shape {x.shape[1:]}", f"the training samples have {shape}")
    kind = parse(input_type)
    if x.dtype.kind not in "iu":
        raise EdgeTernaryError(
            f"{what} are {x.dtype}", "networks read integer codes", f"scale and round them to {input_type}"
        )
    bounds = np.iinfo(x.dtype)
    if (bounds.min < kind.lo or bounds.max > kind.hi) and not kind.lo <= x.min() <= x.max() <= kind.hi:
        raise EdgeTernaryError(
            f"{what} are {x.min()}..{x.max()}",
            f"{input_type} holds {kind.lo}..{kind.hi}",
            "give another input_type, or scale the codes",
        )


def _check_labels(what: str, y: Array, samples: int, classes: int) -> None:
    if y.shape != (samples,) or y.dtype.kind not in "iu":
        raise EdgeTernaryError(
            f"{what} are {y.dtype} of shape {y.shape}", f"integers of shape ({samples},) are needed"
        )
    if y.min() < 0 or y.max() >= classes:
        raise EdgeTernaryError(
            f"{what} are {y.min()}..{y.max()}", f"{classes} classes have labels 0..{classes - 1}"
        )
