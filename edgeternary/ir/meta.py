"""What the integers of a graph mean: scales, zero points, labels."""

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ir.value import Value

FARTHEST = 1 << 24  # float32 holds every zero point
SMALLEST, LARGEST = 2.0**-126, float(np.finfo(np.float32).max)  # float32 below SMALLEST loses digits


class InputMeta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the codes of one of several inputs mean: input_scale and input_zero of `Meta`."""

    scale: float | tuple[float, ...] = 1.0
    zero: int | tuple[int, ...] = 0


class OutputMeta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the integers of one of several outputs mean: logit_scale, zero, offset and labels of `Meta`."""

    logit_scale: float | tuple[float, ...] = 1.0
    logit_zero: int = 0
    logit_offset: float | tuple[float, ...] = 0.0
    labels: tuple[str, ...] = ()

    def one_scale(self, what: str) -> float:
        """The scale where it is all that a logit needs; EdgeTernaryError, naming `what`, where it is not."""
        if isinstance(self.logit_scale, tuple) or self.logit_zero or self.logit_offset != 0:
            raise EdgeTernaryError(
                f"{what} needs logits that are integers times one scale",
                "the output of this model has a scale for each channel, a zero point or an offset",
                "use the integers of the output",
            )
        return self.logit_scale

    def logits(self, outputs: NDArray[np.int32]) -> NDArray[np.float64]:
        """(outputs - logit_zero) * logit_scale + logit_offset in float64; outputs (..., channels)."""
        centred = outputs.astype(np.float64) - self.logit_zero
        return centred * np.array(self.logit_scale) + np.array(self.logit_offset)


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the integers mean; never used in computing them.

    A float sensor value x becomes the input code clamp(round(x / input_scale) + input_zero), as
    `edgeternary.quantize` says in full; each is one number, or one for each channel of the input. A logit is
    (output - logit_zero) * logit_scale + logit_offset; scale and offset are one number, or one for each
    channel of the output. `info` holds free text such as data set, recipe, licence. With several inputs (or
    outputs), `inputs` (`outputs`) says this for each by name, in place of the fields for a single one.
    """

    input_scale: float | tuple[float, ...] = 1.0
    input_zero: int | tuple[int, ...] = 0
    logit_scale: float | tuple[float, ...] = 1.0
    logit_zero: int = 0
    logit_offset: float | tuple[float, ...] = 0.0
    labels: tuple[str, ...] = ()
    info: dict[str, str] = {}
    inputs: dict[str, InputMeta] = {}
    outputs: dict[str, OutputMeta] = {}

    def of_input(self, name: str) -> InputMeta:
        """Scale and zero point of the input `name`."""
        return self.inputs.get(name) or InputMeta(scale=self.input_scale, zero=self.input_zero)

    def of_output(self, name: str) -> OutputMeta:
        """Logit scale and labels of the output `name`."""
        return self.outputs.get(name) or OutputMeta(
            logit_scale=self.logit_scale,
            logit_zero=self.logit_zero,
            logit_offset=self.logit_offset,
            labels=self.labels,
        )

    def check(self, inputs: Sequence[Value], outputs: Sequence[Value], model: str) -> None:
        """EdgeTernaryError unless scales, zero points and names suit the inputs and outputs of `model`.

        An input scale is a normal float32, and codes minus a zero point fit int32. There is one of each, or
        one for each channel. The scale of the logits is finite.
        """
        alone = self.input_scale == 1.0 and self.input_zero == 0
        _check_names("inputs", self.inputs, [value.name for value in inputs], alone, model)
        alone = self.of_output("") == OutputMeta()
        _check_names("outputs", self.outputs, [value.name for value in outputs], alone, model)
        for value in inputs:
            _check_input(self.of_input(value.name), value, model)
        for value in outputs:
            _check_output(self.of_output(value.name), value, model)


def _check_names(
    what: str,
    given: dict[str, InputMeta] | dict[str, OutputMeta],
    names: Sequence[str],
    alone: bool,
    model: str,
) -> None:
    """`given` is for several, the fields for a single one (`alone`: they are not set) for one."""
    unknown = sorted(set(given) - set(names))
    if unknown or (given and len(names) == 1):
        raise EdgeTernaryError(
            f"model {model!r} says what {unknown or sorted(given)} of its {what} mean"[:200],
            f"its {what} are {list(names)}" if unknown else f"it has one of the {what}",
            "name each of several; a single one has input_scale, input_zero, logit_scale and labels",
        )
    if len(names) > 1 and not alone:
        fields = "input_scale or input_zero" if what == "inputs" else "logit_scale, zero, offset or labels"
        raise EdgeTernaryError(
            f"model {model!r} has several {what} and one {fields}", remedy=f"use meta.{what}, by name"
        )


def _check_each(numbers: Mapping[str, object], end: str, channels: int, model: str) -> None:
    """EdgeTernaryError unless each is one number, or one for each of the channels."""
    for name, number in numbers.items():
        if isinstance(number, tuple) and len(number) != channels:
            raise EdgeTernaryError(
                f"model {model!r} has {len(number)} values of {name}",
                f"its {end} has {channels} channel{'s' * (channels != 1)}",
                "give one number, or one for each channel",
            )


def _check_output(meta: OutputMeta, value: Value, model: str) -> None:
    numbers = {"logit_scale": meta.logit_scale, "logit_offset": meta.logit_offset}
    _check_each(numbers, "output", value.channels, model)
    for scale in meta.logit_scale if isinstance(meta.logit_scale, tuple) else (meta.logit_scale,):
        if not 0 < scale < math.inf:
            raise EdgeTernaryError(f"model {model!r} has a scale of {scale}", "a scale is finite and above 0")
    for offset in meta.logit_offset if isinstance(meta.logit_offset, tuple) else (meta.logit_offset,):
        if not math.isfinite(offset):
            raise EdgeTernaryError(f"model {model!r} has an offset of {offset}", "an offset is finite")
    if abs(meta.logit_zero) > FARTHEST:
        raise EdgeTernaryError(
            f"model {model!r} has an output zero point of {meta.logit_zero}"[:120],
            "it lies within -2^24 to 2^24",
        )


def _check_input(meta: InputMeta, value: Value, model: str) -> None:
    _check_each({"input_scale": meta.scale, "input_zero": meta.zero}, "input", value.channels, model)
    for scale in meta.scale if isinstance(meta.scale, tuple) else (meta.scale,):
        if not SMALLEST <= scale <= LARGEST:
            raise EdgeTernaryError(
                f"model {model!r} has a scale of {scale}",
                f"an input scale is a normal float32 above 0: {SMALLEST:.3g} to {LARGEST:.3g}",
                "give the size of one step of the sensor",
            )
    for zero in meta.zero if isinstance(meta.zero, tuple) else (meta.zero,):
        fits = value.lo - zero >= INT32_LO and value.hi - zero <= INT32_HI
        if abs(zero) > FARTHEST or not fits:
            raise EdgeTernaryError(
                f"model {model!r} has a zero point of {zero}"[:120],
                f"it lies within -2^24 to 2^24, and {value.lo} and {value.hi} minus it fit int32",
                "give the code of the sensor value 0",
            )
