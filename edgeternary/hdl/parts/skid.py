"""Two registers."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.fifo import Skid


class SkidPart(Part[Skid]):
    hardware = Skid

    def area(self, part: Skid) -> Area:
        return Area(part.read + 5, 2 * part.read + 2)

    def times(self, part: Skid, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 1, last)
