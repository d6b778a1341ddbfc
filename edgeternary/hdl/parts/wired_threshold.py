"""threshold whose comparators have constants."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.luts import wired
from edgeternary.hdl.part import Area
from edgeternary.hdl.wired import WiredLayer
from edgeternary.ops import Threshold
from edgeternary_hw.wired import WiredThreshold


class WiredThresholdLayer(WiredLayer[Threshold, WiredThreshold]):
    kind = "threshold"
    hardware = WiredThreshold

    def build(self, b: Builder, op: Threshold, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], ins[0].value.channels, op.name)
        target = stream_element(b.graph.values[op.name])
        t, base, step = op.t.tolist(), op.base.tolist(), op.step.tolist()
        part = WiredThreshold(t, base, step, wire.element, target)
        b.through(part, wire, op.name)
        return b.output(part, op.name, wire.lanes)

    def area(self, part: WiredThreshold) -> Area:
        return Area(*wired.threshold(part))
