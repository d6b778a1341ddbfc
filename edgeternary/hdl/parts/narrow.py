"""Fewer channels a beat."""

import numpy as np

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, spaced
from edgeternary_hw.width import Narrow


class NarrowPart(Part[Narrow]):
    hardware = Narrow

    def area(self, part: Narrow) -> Area:
        return Area(2 * len(part.i.payload) + 10, 3 * len(part.i.payload) + 6)

    def times(self, part: Narrow, ins: list[Times], last: Times | None) -> Times:
        return spaced(np.repeat(ins[0] + 2, part.ratio), 1, last)
