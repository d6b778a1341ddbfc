"""upsample: rows, then pixels, that a ring memory sends again, or that zeros follow."""

from typing import Any

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.folding import lanes
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.ops import Upsample
from edgeternary_hw.fifo import Fifo, Replay
from edgeternary_hw.fill import Fill

BRISK = 2  # it is done in half the pace: where it is joined with a skip connection, it waits in turn


class UpsampleLayer(Layer[Upsample]):
    kind = "upsample"
    answers = Answers.LATE

    def build(self, b: Builder, op: Upsample, ins: list[Wire]) -> Wire:
        """A map of one column has rows of one pixel, so one part does both."""
        out, (wire,) = b.graph.values[op.name], ins
        work = BRISK * out.size
        if work // wire.lanes > b.folding.cycles:
            wire = b.adapt(wire, lanes(out.channels, work, b.folding.cycles, wire.lanes), op.name)
        (fy, fx), width = op.factor, wire.value.shape[1]
        pixel = out.channels // wire.lanes  # beats
        steps = [(width * pixel, fy, "rows"), (pixel, fx, "pixels")]
        if op.fill == "zero":  # rows grow before they are followed by empty ones
            steps = [(pixel, fx, "pixels"), (width * fx * pixel, fy, "rows")]
        if width == 1:
            steps = [(pixel, fy * fx, "pixels")]
        port, beats = wire.port, wire.beats
        if op.fill == "zero":  # what comes meanwhile waits, so that nothing before has to
            waiting = Fifo(wire.lanes * wire.element.width, pixel * (width if fy > 1 else 1))
            port = b.through(waiting, wire, op.name, "fifo")
        for length, times, role in steps:
            if times > 1:
                beats *= times
                part = _part(op, wire, length, times)
                b.connect(port, b.part(part, op.name, role, busy=beats))
                port = part.o
        return Wire(port, wire.element, wire.lanes, out)

    def lanes(self, op: Upsample, at: Arrival) -> int:
        return at.kept


def _part(op: Upsample, wire: Wire, length: int, times: int) -> Any:
    """What makes of every `length` beats `times` as many."""
    if op.fill == "repeat":
        return Replay(wire.lanes * wire.element.width, length, times)
    elements = length * wire.lanes
    return Fill(wire.element.width, wire.lanes, elements, times * elements, code=0)
