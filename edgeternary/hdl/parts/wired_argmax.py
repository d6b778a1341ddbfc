"""argmax of numbers that come all at once."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Area
from edgeternary.hdl.wired import WiredLayer
from edgeternary.ops import Argmax
from edgeternary_hw.wired import WiredArgMax


class WiredArgmaxLayer(WiredLayer[Argmax, WiredArgMax]):
    kind = "argmax"
    hardware = WiredArgMax

    def build(self, b: Builder, op: Argmax, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], ins[0].value.size, op.name)
        part = WiredArgMax(wire.element, wire.value.size, stream_element(b.graph.values[op.name]).width)
        b.through(part, wire, op.name)
        return b.output(part, op.name, 1)

    def area(self, part: WiredArgMax) -> Area:
        return Area(2 * len(part.i.payload), len(part.o.payload) + 2)
