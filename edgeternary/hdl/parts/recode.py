"""Another encoding of the same numbers."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.recode import Recode


class RecodePart(Part[Recode]):
    hardware = Recode

    def area(self, part: Recode) -> Area:
        return Area(len(part.o.payload) / 2, 0)

    def times(self, part: Recode, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 0, last)
