"""What the ops of table networks share: values of one bit."""

import numpy as np

from edgeternary.ir import IntArray, Op, Type, Value, parse

BITS = ("binary", "bipolar")  # a bit is set where the value is positive


def bit_type(op: Op, name: str) -> Type:
    """The type called `name`, which must be of one bit."""
    op.require(name in BITS, f"its type is {name[:20]!r}", f"use one of {', '.join(BITS)}")
    return parse(name)


def require_bits(op: Op, x: Value) -> None:
    """Refuse an input that is not made of bits."""
    op.require(
        x.type.name in BITS,
        f"its input is {x.type}, not {' or '.join(BITS)}",
        "put a compare or a threshold before it",
    )


def interval(x: np.ndarray, type: Type) -> tuple[int, int]:
    """(lo, hi) of bits, where `x` holds every one that can occur."""
    return (type.hi if x.all() else type.lo), (type.hi if x.any() else type.lo)


def codes(bits: np.ndarray, type: Type) -> IntArray:
    """Bits as codes of `type`."""
    return np.where(bits, np.int32(type.hi), np.int32(type.lo))
