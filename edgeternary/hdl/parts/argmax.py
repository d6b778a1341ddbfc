"""argmax: the index of the largest number, one number after the other."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.times import Times, gathered
from edgeternary.ops import Argmax
from edgeternary_hw.argmax import ArgMax


class ArgmaxLayer(Layer[Argmax], Part[ArgMax]):
    kind = "argmax"
    answers = Answers.LATE
    hardware = ArgMax

    def build(self, b: Builder, op: Argmax, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], 1, op.name)
        part = ArgMax(wire.element, wire.value.channels, stream_element(b.graph.values[op.name]).width)
        b.through(part, wire, op.name)
        return b.output(part, op.name, 1)

    def lanes(self, op: Argmax, at: Arrival) -> int:
        return 1

    def area(self, part: ArgMax) -> Area:
        return Area(len(part.i.payload) * 2 + 15, len(part.i.payload) + 15)

    def times(self, part: ArgMax, ins: list[Times], last: Times | None) -> Times:
        return gathered(ins[0], part.channels)
