"""The bit that says where a sample starts leaves the stream."""

from edgeternary.hdl.part import Area, Part, bits
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.state import Starts


class StartsPart(Part[Starts]):
    hardware = Starts

    def area(self, part: Starts) -> Area:
        counter = bits(part.beats)
        return Area(3 * part.count + 2 * counter + 6, part.count + counter + 3)

    def times(self, part: Starts, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 0, last)
