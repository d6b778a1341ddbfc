"""reshape: the order of the elements stays, so only the number of channels a beat may have to change."""

import math

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.ops import Reshape


class ReshapeLayer(Layer[Reshape]):
    kind = "reshape"
    answers = Answers.ELEMENTWISE

    def build(self, b: Builder, op: Reshape, ins: list[Wire]) -> Wire:
        count = math.gcd(ins[0].lanes, op.shape[-1])
        wire = b.adapt(ins[0], count, op.name)
        return Wire(wire.port, wire.element, count, b.graph.values[op.name])

    def lanes(self, op: Reshape, at: Arrival) -> int:
        return at.common
