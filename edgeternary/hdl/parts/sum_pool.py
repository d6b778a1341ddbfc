"""sum_pool: the sum of each window."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.pools import Pool, added, pooled, pooling
from edgeternary.ops import SumPool
from edgeternary_hw.pool import SumPool as Unit


class SumPoolLayer(Pool[SumPool, Unit]):
    kind = "sum_pool"
    hardware = Unit
    bit_luts = 2
    pads = True

    def build(self, b: Builder, op: SumPool, ins: list[Wire]) -> Wire:
        wire = pooled(b, op, ins[0])
        target = stream_element(b.graph.values[op.name])
        part = Unit(wire.element, target, pooling(op, wire), lanes=wire.lanes)
        return b.output(added(b, op, part, wire), op.name, wire.lanes)
