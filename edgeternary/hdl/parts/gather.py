"""gather: the table in ROM, read word by word."""

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.folding import lanes
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, bits
from edgeternary.hdl.streams import BRISK
from edgeternary.hdl.times import Times, spaced
from edgeternary.ops import Gather
from edgeternary_hw.row import Row


class GatherLayer(Layer[Gather], Part[Row]):
    kind = "gather"
    answers = Answers.PLAIN
    hardware = Row

    def build(self, b: Builder, op: Gather, ins: list[Wire]) -> Wire:
        width = op.table.shape[1]
        count = lanes(width, width, b.folding.cycles // BRISK)
        target = stream_element(b.graph.values[op.name])
        part = Row(op.table.tolist(), ins[0].element, target, lanes=count)
        b.through(part, ins[0], op.name, busy=part.beats)
        return b.output(part, op.name, count)

    def lanes(self, op: Gather, at: Arrival) -> int:
        return 0

    def area(self, part: Row) -> Area:
        counter = bits(part.beats)
        return Area(2 * counter + 12, len(part.i.payload) + len(part.o.payload) + counter + 6)

    def times(self, part: Row, ins: list[Times], last: Times | None) -> Times:
        return spaced(np.repeat(ins[0] + 3, part.beats), 1, last)
