"""Modes: the types of weights and activations that a benchmark is run with."""

from dataclasses import dataclass

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import parse
from edgeternary.ops.accumulate import WEIGHT_TYPES

# What people call the types; everything else is the name of the type itself.
ALIASES = {"binary": "bipolar", "1-bit": "bipolar", "2-bit": "uint2", "3-bit": "uint3", "4-bit": "uint4"}
SHOWN = {"bipolar": "binary", "uint2": "2-bit", "uint3": "3-bit", "uint4": "4-bit"}
FORMS = ("A", "B", "C", "T")
THRESHOLD_BITS = 4  # up to here an activation is thresholds, beyond it a requantize


@dataclass(frozen=True)
class Mode:
    """weights, activations: names of types.

    form  of the requantize: A (a shift), B (multipliers of 16 bits), C (of 32 bits, as imported models have
          them) or T (C with the two roundings of tflite_double)
    """

    weights: str
    activations: str
    form: str = "A"

    def __str__(self) -> str:
        text = " x ".join(SHOWN.get(name, name) for name in (self.weights, self.activations))
        return text if self.form == "A" else f"{text}, form {self.form}"


def mode(weights: str, activations: str, form: str = "A") -> Mode:
    """A mode from names as typed; EdgeTernaryError (exit code 2) for others.

    "binary" is {-1, +1} on both sides, "2-bit" uint2.
    """
    weights, activations = (ALIASES.get(name, name) for name in (weights, activations))
    if weights not in WEIGHT_TYPES:
        raise EdgeTernaryError(
            f"no weights are {weights[:20]!r}", "", f"use one of {', '.join(WEIGHT_TYPES)}", USAGE
        )
    if parse(activations).bits > 16:
        why = "activations have at most 16 bits"
        raise EdgeTernaryError(f"activations cannot be {activations}", why, "use int8, for example", USAGE)
    if form not in FORMS:
        raise EdgeTernaryError(f"unknown form {form[:20]!r}", "", f"use one of {', '.join(FORMS)}", USAGE)
    return Mode(weights, activations, form)


SUITE = (
    Mode("ternary", "int8"),
    Mode("ternary", "ternary"),
    Mode("ternary", "uint2"),
    Mode("bipolar", "int8"),
    Mode("bipolar", "bipolar"),
)
INTEGERS = (
    Mode("int2", "int8"),
    Mode("int3", "int8"),
    Mode("int4", "int8"),
    Mode("int4", "uint4"),
    Mode("int8", "int8"),
    Mode("int8", "int8", "C"),
)
