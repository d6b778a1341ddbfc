"""mul: products by shifts and additions, as many digits a cycle as the pace asks for."""

import math

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.streams import brisk, joined
from edgeternary.hdl.times import Times, spaced
from edgeternary.ops import Mul
from edgeternary_hw.multiplier import Multiply, Speed


class MulLayer(Layer[Mul], Part[Multiply]):
    kind = "mul"
    answers = Answers.PLAIN
    hardware = Multiply

    def build(self, b: Builder, op: Mul, ins: list[Wire]) -> Wire:
        count = math.gcd(ins[0].lanes, ins[1].lanes)
        beats = b.graph.values[op.name].size // count

        def make(digits: int) -> Multiply:
            first, second = (wire.element for wire in ins)
            target = stream_element(b.graph.values[op.name])
            return Multiply(first, second, target, lanes=count, digits=digits)

        part = brisk(b, make, lambda part: beats * part.speed.steps)
        wire = joined(b, op, ins, part, beats * part.speed.steps)
        return b.buffered(wire, op.name, "buffer") if b.folding.kept else wire

    def lanes(self, op: Mul, at: Arrival) -> int:
        return at.kept

    def area(self, part: Multiply) -> Area:
        """A LUT for each bit to choose -a, 0, a or 2a, and an adder; registers and counters."""
        p = part
        each = p.speed.digits * (2 * (p.a_width + 2) + 6)
        ffs = 2 * p.a_width + p.b_width + len(p.o.payload) // p.lanes + between(p.speed, p.a_width)
        return Area(p.lanes * each + 30, p.lanes * ffs + 10)

    def times(self, part: Multiply, ins: list[Times], last: Times | None) -> Times:
        return spaced(np.maximum.reduce(ins) + part.speed.latency + 1, part.speed.steps, last)


def between(speed: Speed, width: int) -> int:
    """Registers between the stages of a multiplier: the factor, the sum, what is left of the other one."""
    return (speed.stages - 1) * (2 * width + 2 * speed.digits + 1)
