"""Lanes and bit planes: what it takes to put bits of neighbouring channels together."""

from __future__ import annotations

from edgeternary.cores import Core
from edgeternary.ir import Value, encoding

MAX_PLANES = 4
FEW_REGISTERS = 26  # tenths of a touch for a word of four bits in Thumb-1
UNIT = 8  # channels that are written out


def possible(value: Value) -> bool:
    """An image of few bits."""
    return value.type.planes <= MAX_PLANES and len(value.shape) == 3


def cycles(value: Value, lanes: int, words: int, core: Core) -> float:
    """Of `words` words of lanes, in either direction."""
    planes, channels = value.type.planes, value.channels
    if channels % UNIT:
        return words * (5 + 3 * planes) * core.touch / 10
    change = 10 * encoding.words(channels) * lanes / channels
    fours = (FEW_REGISTERS if core.thumb1 else 4) if planes > 2 else 0
    return words * (2 + planes * (0.5 + change) + fours) * core.touch / 10
