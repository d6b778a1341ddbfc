"""What the kernels of depthwise layers with integer weights share: places of taps, and a pixel outside."""

import numpy as np

from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d

FOUR = 4  # channels at a time
MOST_TAPS = 64  # pointers on the stack


def possible(op: Conv2d, x: Value) -> bool:
    """Whether each of four or more channels has one output, and the places of the taps fit the stack."""
    return FOUR <= op.groups == x.channels == len(op.bias) and op.kernel[0] * op.kernel[1] <= MOST_TAPS


def edge(op: Conv2d, x: Value) -> list[Table]:
    """A pixel outside the image, where there are pads."""
    if not any(op.pad):
        return []
    return [Table("edge", np.full(x.channels, op.pad_value, x.type.dtype), "a pixel outside")]
