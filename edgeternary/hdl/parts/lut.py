"""lut: the tables of a pixel, of a window or of a vector at once."""

from edgeternary.hdl import wired
from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.ops import Lut


class LutLayer(Layer[Lut]):
    kind = "lut"
    answers = Answers.LATE

    def build(self, b: Builder, op: Lut, ins: list[Wire]) -> Wire:
        return wired.run(b, [op], wired.entry(b, op, ins[0]))

    def lanes(self, op: Lut, at: Arrival) -> int:
        return at.out.channels
