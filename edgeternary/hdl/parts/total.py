"""total: the counts of all positions of a map are added up as they come."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, bits
from edgeternary.hdl.passes.by_position import Total
from edgeternary.hdl.times import Times, gathered, spaced
from edgeternary_hw.total import Total as Unit


class TotalLayer(Layer[Total], Part[Unit]):
    kind = "total"
    answers = Answers.LATE
    hardware = Unit

    def build(self, b: Builder, op: Total, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], len(op.bias), op.name)
        target = stream_element(b.graph.values[op.name])
        part = Unit(wire.element, target, wire.beats, op.bias.tolist())
        b.through(part, wire, op.name)
        return b.output(part, op.name, len(op.bias), target)

    def lanes(self, op: Total, at: Arrival) -> int:
        return at.out.channels

    def area(self, part: Unit) -> Area:
        """A choice and a sum for each bit."""
        answer, count = len(part.o.payload), bits(part.beats)
        return Area(2 * answer + 1.5 * count + 5, answer + count + 3)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        return spaced(gathered(ins[0], part.beats), 1, last)
