"""The answer as bytes: the numbers, then the index of the largest."""

import numpy as np

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, spaced
from edgeternary_hw.answer import Answer


class AnswerPart(Part[Answer]):
    hardware = Answer

    def area(self, part: Answer) -> Area:
        bits, rest = len(part.i.payload) if part.index else 0, part.rest_bits
        return Area(bits * 3 + rest + 8, bits * 2 + rest + 18)

    def times(self, part: Answer, ins: list[Times], last: Times | None) -> Times:
        """Beats of the numbers, then those of the index, which waits until the last number is compared."""
        beats = part.number_beats
        gap = int(beats == 1 and not part.eager)
        starts = spaced(ins[0] + 1, beats, None if last is None else last[-1:] + 1 - beats)
        times = (starts[:, None] + np.arange(beats)).reshape(-1)
        return np.concatenate([times, times[-1] + 1 + gap + np.arange(part.index_beats)])
