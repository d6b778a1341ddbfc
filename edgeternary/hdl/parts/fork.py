"""Copies of a stream."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.join import Fork


class ForkPart(Part[Fork]):
    hardware = Fork

    def area(self, part: Fork) -> Area:
        return Area(3 * part.count + 2, part.count)

    def times(self, part: Fork, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 0, last)
