"""More channels a beat."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, gathered
from edgeternary_hw.width import Widen


class WidenPart(Part[Widen]):
    hardware = Widen

    def area(self, part: Widen) -> Area:
        return Area(12, len(part.o.payload) + 4)

    def times(self, part: Widen, ins: list[Times], last: Times | None) -> Times:
        return gathered(ins[0], part.ratio)
