"""What the kinds for requantize share: the clamp as n bits, and what is added before the shift."""

import numpy as np

from edgeternary.c.lanes.after.base import Reach
from edgeternary.c.lanes.program import Wide
from edgeternary.ir import Value
from edgeternary.ops import Requantize

MAX_TOP = 8  # masks of Thumb-2 have eight bits a lane


def clamp_bits(q: Requantize, reach: Reach, out: Value, any_rounding: bool = False) -> int:
    """n, where the result of q is lo + (0 .. 2^n - 1) with lo the lowest code; 0 where that is not so.

    any_rounding  both roundings of tflite_double too, and shifts of a product of 64 bits
    """
    top = (q.hi - q.lo + 1).bit_length() - 1
    exact = 2**top == q.hi - q.lo + 1 and q.lo == out.type.lo and reach.bits == 16
    short = any_rounding or (q.rounding != "tflite_double" and q.s.max() <= 31)
    return top if exact and top <= MAX_TOP and short else 0


def half(q: Requantize) -> Wide:
    """What rounding adds before the shift."""
    s = q.s.astype(np.int64)
    return np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * np.int64(q.rounding != "floor")


def moved(q: Requantize, reach: Reach, drop: int = 0) -> tuple[Wide, Wide] | None:
    """(b, s) of form A, (S + b) >> s before it is clamped; None where a lane's unit hinders that.

    For sums that have lost `drop` bits b and s are without them; see `lanes/stages`.
    """
    s = q.s.astype(np.int64)
    b = reach.offset + q.b + half(q) + (np.int64(q.zero) << s)
    if reach.unit == 2:
        b, s = b >> 1, s - 1
    return (b >> drop, s - drop) if s.min() >= drop else None
