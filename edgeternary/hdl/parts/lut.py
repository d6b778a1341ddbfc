"""lut: the tables of a pixel or a window at once; windows come from a ring of rows."""

from dataclasses import replace

from edgeternary.hdl import wired
from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.ops import Lut
from edgeternary_hw.window import Window


class LutLayer(Layer[Lut]):
    kind = "lut"
    answers = Answers.LATE

    def build(self, b: Builder, op: Lut, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], ins[0].value.channels, op.name)
        return wired.run(b, [op], windows(b, op, wire))

    def lanes(self, op: Lut, at: Arrival) -> int:
        return at.out.channels


def windows(b: Builder, op: Lut, wire: Wire) -> Wire:
    """A stream of pixels as one of the windows that an op reads, a window a beat."""
    if op.kernel == op.stride == (1, 1) and not any(op.pad):
        return wire
    size, lanes = (wire.value.shape[0], wire.value.shape[1]), wire.lanes
    part = Window(lanes * wire.element.width, size, 1, op.kernel, op.stride, op.pad, wide=True)
    work = max(part.out_height * part.out_width, wire.beats)
    port = b.through(part, wire, op.name, "window", work)
    shape = (part.out_height, part.out_width, part.taps * lanes)
    return Wire(port, wire.element, shape[-1], replace(wire.value, shape=shape))
