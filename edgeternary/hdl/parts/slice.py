"""slice: some of the channels."""

import math

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, per_bit
from edgeternary.hdl.streams import cut
from edgeternary.hdl.times import Times
from edgeternary.ops import Slice
from edgeternary_hw.join import Slice as Unit


class SliceLayer(Layer[Slice], Part[Unit]):
    kind = "slice"
    answers = Answers.IN_TURN
    hardware = Unit

    def build(self, b: Builder, op: Slice, ins: list[Wire]) -> Wire:
        return cut(b, op, ins[0], op.start, op.stop)

    def lanes(self, op: Slice, at: Arrival) -> int:
        return math.gcd(op.start, op.stop, at.ins[0].channels, at.common) if at.common else 0

    def area(self, part: Unit) -> Area:
        return per_bit(part, 3, 1)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        """Some of the beats, as they come."""
        pixels = ins[0].reshape(-1, part.before + part.kept + part.after)
        return pixels[:, part.before : part.before + part.kept].reshape(-1)
