"""Pieces of C for lanes."""

import re
from collections.abc import Sequence

from edgeternary.c.lanes.walk import Walk


def stored(i: int, walk: Walk) -> list[str]:
    """Output i, whose result is a{i}: the word, or the code of each lane."""
    if not walk.lanes:
        return [f"y[{i}] = a{i};"]
    lines = []
    for lane, apart in enumerate(walk.lanes):
        number = f"a{i} >> {walk.bits * lane}" if lane else f"a{i}"
        if walk.low:
            number = f"(int32_t)(({number}) & 0x{2**walk.bits - 1:x}u)"
            number = f"{walk.unit} * {number} - {-walk.low}" if walk.unit > 1 else f"{number} - {-walk.low}"
        lines.append(f"y[{apart + i}] = ({'int8_t' if walk.low else 'uint8_t'})({number});")
    return lines


def with_literals(line: str, words: Sequence[int]) -> str:
    """The constants themselves in place of k[...]."""
    return re.sub(r"k\[(\d+)\]", lambda match: f"0x{words[int(match[1])]:x}u", line)
