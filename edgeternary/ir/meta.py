"""What the integers of a graph mean: scales, zero points, labels."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ir.value import Value

FARTHEST = 1 << 24  # float32 holds every zero point
SMALLEST, LARGEST = 2.0**-126, float(np.finfo(np.float32).max)  # float32 below SMALLEST loses digits


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the integers mean; never used in computing them.

    A float sensor value x becomes the input code clamp(round(x / input_scale) + input_zero), as
    `edgeternary.quantize` says in full; each is one number, or one for each channel of the input. A logit is
    output * logit_scale. `info` holds free text such as data set, recipe, licence.
    """

    input_scale: float | tuple[float, ...] = 1.0
    input_zero: int | tuple[int, ...] = 0
    logit_scale: float = 1.0
    labels: tuple[str, ...] = ()
    info: dict[str, str] = {}

    def check(self, value: Value, model: str) -> None:
        """EdgeTernaryError unless the scales and zero points suit `value`, the input of `model`.

        An input scale is a normal float32, and codes minus a zero point fit int32. There is one of each, or
        one for each channel. The scale of the logits is finite.
        """
        for name, number in (("input_scale", self.input_scale), ("input_zero", self.input_zero)):
            if isinstance(number, tuple) and len(number) != value.channels:
                raise EdgeTernaryError(
                    f"model {model!r} has {len(number)} values of {name}",
                    f"its input has {value.channels} channel{'s' * (value.channels != 1)}",
                    "give one number, or one for each channel",
                )
        for scale in self.input_scale if isinstance(self.input_scale, tuple) else (self.input_scale,):
            if not SMALLEST <= scale <= LARGEST:
                raise EdgeTernaryError(
                    f"model {model!r} has a scale of {scale}",
                    f"an input scale is a normal float32 above 0: {SMALLEST:.3g} to {LARGEST:.3g}",
                    "give the size of one step of the sensor",
                )
        for zero in self.input_zero if isinstance(self.input_zero, tuple) else (self.input_zero,):
            fits = value.lo - zero >= INT32_LO and value.hi - zero <= INT32_HI
            if abs(zero) > FARTHEST or not fits:
                raise EdgeTernaryError(
                    f"model {model!r} has a zero point of {zero}"[:120],
                    f"it lies within -2^24 to 2^24, and {value.lo} and {value.hi} minus it fit int32",
                    "give the code of the sensor value 0",
                )
        if not 0 < self.logit_scale < math.inf:
            raise EdgeTernaryError(
                f"model {model!r} has a scale of {self.logit_scale}", "a scale is finite and above 0"
            )
