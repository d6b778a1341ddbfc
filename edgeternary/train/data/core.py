"""What a data set is: integer codes and labels in three parts, checked when it is made."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.types import parse

Array = NDArray[Any]
Split = tuple[Array, Array]


@dataclass(frozen=True)
class Data:
    """Codes (n, height, width, channels), for series (n, 1, length, channels), and labels (n,): three parts.

    The codes are integers of `input_type`; a code means (code - input_zero) * input_scale, each of them one
    number, or one for each channel. Where channels were scaled one by one, that is a value in units of the
    channel's scale, and channels holds each one's (offset, scale): measured value = offset + scale * (code -
    input_zero) * input_scale. labels: a name for each class. EdgeTernaryError for empty parts, shapes and
    types that do not fit, codes and labels out of range.
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

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            x, y = getattr(self, part)
            _check_codes(f"{part} samples of {self.name}", x, self.input_type, self.train[0].shape[1:])
            _check_labels(f"{part} labels of {self.name}", y, len(x), len(self.labels))


def _check_codes(what: str, x: Array, input_type: str, shape: tuple[int, ...]) -> None:
    if x.ndim != 4 or not x.size:
        remedy = "give (samples, height, width, channels), for series (samples, 1, length, channels)"
        raise EdgeTernaryError(
            f"{what} have shape {x.shape}", "4 dimensions, none of them 0, are needed", remedy
        )
    if x.shape[1:] != shape:
        raise EdgeTernaryError(f"{what} have shape {x.shape[1:]}", f"those for training have {shape}")
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
            "name another input_type or scale the codes",
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
