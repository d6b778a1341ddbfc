"""fill: constants after a vector whose length has no useful divisors, see hdl.passes.pad."""

import math

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.frames import pack, payloads
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, bits
from edgeternary.hdl.passes.pad import Filled
from edgeternary.hdl.times import Times, spaced
from edgeternary_hw.fill import Fill


class FillLayer(Layer[Filled], Part[Fill]):
    kind = "fill"
    answers = Answers.ELEMENTWISE
    hardware = Fill

    def build(self, b: Builder, op: Filled, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], math.gcd(ins[0].lanes, op.value.size), op.inputs[0])
        (code,) = payloads(pack(np.array([[op.code]]), wire.element, 1))
        part = Fill(wire.element.width, wire.lanes, op.real, op.value.size, code)
        b.through(part, wire, op.inputs[0], "fill", busy=part.beats)
        return b.output(part, op.name, wire.lanes, wire.element)

    def lanes(self, op: Filled, at: Arrival) -> int:
        return at.kept

    def area(self, part: Fill) -> Area:
        counter = bits(part.beats)
        return Area(len(part.o.payload) / 2 + 2 * counter + 4, counter + 1)

    def times(self, part: Fill, ins: list[Times], last: Times | None) -> Times:
        """Of each vector the beats as they come, then those of constants alone."""
        vectors = ins[0].reshape(-1, part.taken)
        extra = vectors[:, -1:].repeat(part.beats - part.taken, axis=1)
        return spaced(np.concatenate([vectors, extra], axis=1).reshape(-1), 1, last)
