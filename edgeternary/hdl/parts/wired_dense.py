"""dense with weights that are wires."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element
from edgeternary.hdl.luts import wired
from edgeternary.hdl.part import Area
from edgeternary.hdl.wired import WiredLayer
from edgeternary.ops import Dense
from edgeternary_hw.wired import WiredDense


class WiredDenseLayer(WiredLayer[Dense, WiredDense]):
    kind = "dense"
    hardware = WiredDense

    def build(self, b: Builder, op: Dense, ins: list[Wire]) -> Wire:
        value = b.graph.values[op.name]
        wire = b.adapt(ins[0], ins[0].value.size, op.name)
        out = interval_element(min(value.lo, -1), value.hi)
        part = WiredDense(op.weights.tolist(), op.bias.tolist(), wire.element, out.width)
        b.through(part, wire, op.name)
        return b.output(part, op.name, value.size, out)

    def refused(self, op: Dense) -> str:
        if abs(op.weights).max() > 1:
            return f"has {op.weight_type} weights, and wired ones are -1, 0 or +1"
        return ""

    def area(self, part: WiredDense) -> Area:
        return Area(*wired.dense(part))
