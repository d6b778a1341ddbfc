"""add: the sums of two streams, number by number."""

import math

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.streams import joined
from edgeternary.hdl.times import Times, delayed
from edgeternary.ops import Add
from edgeternary_hw.join import Add as Unit


class AddLayer(Layer[Add], Part[Unit]):
    kind = "add"
    answers = Answers.PLAIN
    hardware = Unit

    def build(self, b: Builder, op: Add, ins: list[Wire]) -> Wire:
        count = math.gcd(ins[0].lanes, ins[1].lanes)
        target = stream_element(b.graph.values[op.name])
        part = Unit(ins[0].element, ins[1].element, target, lanes=count)
        return joined(b, op, ins, part, b.graph.values[op.name].size // count)

    def lanes(self, op: Add, at: Arrival) -> int:
        return at.kept

    def area(self, part: Unit) -> Area:
        inputs, out = len(part.i0.payload) + len(part.i1.payload), len(part.o.payload)
        return Area(inputs + out + 20, 2 * inputs + out + 6)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 2, last)
