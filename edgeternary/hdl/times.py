"""The cycles in which the beats of a frame pass: arithmetic of cycle models."""

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]  # of the beats of a frame: the cycle in which each is there
ALWAYS = -(1 << 40)


def spaced(times: Times, gap: int, last: Times | None) -> Times:
    """The earliest cycles not before `times` that are `gap` apart, also from the last one of the frame
    before."""
    steps = gap * np.arange(len(times), dtype=np.int64)
    start = times - steps
    if last is not None:
        start[0] = max(start[0], last[-1] + gap)
    return np.maximum.accumulate(start) + steps


def delayed(ins: list[Times], cycles: int, last: Times | None) -> Times:
    """A beat a cycle, each `cycles` after it came on every input."""
    return spaced(np.maximum.reduce(ins) + cycles, 1, last)


def gathered(times: Times, count: int) -> Times:
    """One beat for every `count` beats, a cycle after the last of them."""
    return times[count - 1 :: count] + 1
