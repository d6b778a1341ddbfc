"""deal: the share of a layer in every beat of a matrix that several layers share. It is only wires."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.passes.together import Deal
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.pick import Pick


class DealLayer(Layer[Deal], Part[Pick]):
    kind = "deal"
    answers = Answers.PLAIN
    hardware = Pick

    def build(self, b: Builder, op: Deal, ins: list[Wire]) -> Wire:
        wire = ins[0] if ins[0].lanes % op.count == 0 else b.adapt(ins[0], op.count, op.name)
        part = Pick(wire.element.width, wire.lanes, op.index, op.count)
        b.through(part, wire, op.name)
        return b.output(part, op.name, wire.lanes // op.count, wire.element)

    def lanes(self, op: Deal, at: Arrival) -> int:
        return at.kept  # may be more than its share, which is converted then

    def area(self, part: Pick) -> Area:
        return Area(0, 0)

    def times(self, part: Pick, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 0, last)
