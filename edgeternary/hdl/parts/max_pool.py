"""max_pool: the maximum of each window, or the minimum, channel by channel."""

import msgspec

from edgeternary.hdl.builder import Builder, Mask, Wire
from edgeternary.hdl.passes.pad import spread
from edgeternary.hdl.pools import Pool, added, pooled, pooling
from edgeternary.ir import Value
from edgeternary.ops import MaxPool
from edgeternary_hw.pool import MaxPool as Unit


class MaxPoolLayer(Pool[MaxPool, Unit]):
    kind = "max_pool"
    hardware = Unit
    bit_luts = 3
    pads = True

    def build(self, b: Builder, op: MaxPool, ins: list[Wire]) -> Wire:
        wire = pooled(b, op, ins[0])
        part = Unit(wire.element, pooling(op, wire, op.pad), lanes=wire.lanes, minimum=op.minimum.tolist())
        return b.output(added(b, op, part, wire), op.name, wire.lanes, wire.element)

    def widened(self, op: MaxPool, x: Value, y: Value, mask: Mask) -> MaxPool:
        return msgspec.structs.replace(op, minimum=spread(op.minimum, mask, op.minimum[0]))
