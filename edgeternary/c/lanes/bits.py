"""Lanes and bit planes: what it takes to put bits of neighbouring channels together."""

from edgeternary.cores import Core
from edgeternary.ir import Value, encoding

MAX_PLANES = 4
TENTHS = 10
# Tenths of Core.touch for a word: where channels come one by one, and for each plane; in groups of UNIT, for
# each plane, and for each time that a word of planes changes; where three or four bits need more registers.
SINGLE, SINGLE_PLANE = 5, 3
WORD, PLANE, CHANGE = 2, 0.5, 10
MANY, MANY_THUMB1 = 4, 26
UNIT = 8  # channels that are written out


def possible(value: Value) -> bool:
    """An image of few bits."""
    return value.type.planes <= MAX_PLANES and len(value.shape) == 3


def cycles(value: Value, lanes: int, words: int, core: Core) -> float:
    """Of `words` words of lanes, in either direction."""
    planes, channels = value.type.planes, value.channels
    if channels % UNIT:
        return words * (SINGLE + SINGLE_PLANE * planes) * core.touch / TENTHS
    change = CHANGE * encoding.words(channels) * lanes / channels
    fours = (MANY_THUMB1 if core.thumb1 else MANY) if planes > 2 else 0
    return words * (WORD + planes * (PLANE + change) + fours) * core.touch / TENTHS
