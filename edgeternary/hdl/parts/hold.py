"""One register."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.fifo import Hold


class HoldPart(Part[Hold]):
    hardware = Hold

    def area(self, part: Hold) -> Area:
        return Area(1, part.read + 1)

    def times(self, part: Hold, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 1, last)
