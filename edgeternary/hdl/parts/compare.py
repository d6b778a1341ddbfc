"""compare: the bits of a vector's numbers, made as they come."""

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, bits
from edgeternary.hdl.times import Times, spaced
from edgeternary.ops import Compare
from edgeternary_hw.compare import Compare as Unit


class CompareLayer(Layer[Compare], Part[Unit]):
    kind = "compare"
    answers = Answers.LATE
    hardware = Unit

    def build(self, b: Builder, op: Compare, ins: list[Wire]) -> Wire:
        wire = ins[0]
        if wire.value.channels % wire.lanes:
            wire = b.adapt(wire, np.gcd(wire.value.channels, wire.lanes).item(), op.name)
        source, t = op.source.tolist(), op.t.tolist()
        part = Unit(wire.element, wire.value.channels, source, t, lanes=wire.lanes)
        b.through(part, wire, op.name)
        return b.output(part, op.name, len(source))

    def lanes(self, op: Compare, at: Arrival) -> int:
        return at.out.channels

    def area(self, part: Unit) -> Area:
        """A comparator with a constant takes a LUT for each three bits, one without a carry chain."""
        width = part.element.width
        luts = sum(width + 1 if c.t is None else 1 + (width - 1) // 4 for c in part.chains)
        if part.beats == 1:
            return Area(luts + 2, len(part.o.payload) + 1)
        control = 3 * bits(part.beats) + len(part.chains) + 6
        ffs = part.kept + 2 * len(part.chains) + part.read * (part.read_bits + bits(part.beats)) + 8
        return Area(luts + control, ffs + bits(part.beats), shifted=part.kept)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        return spaced(ins[0][part.beats - 1 :: part.beats] + part.stages, 1, last)
