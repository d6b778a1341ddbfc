"""rms_norm: one number after the other, as many digits a cycle as the pace asks for."""

from typing import Any, cast

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element, stream_element
from edgeternary.hdl.engine import Ends, Engine, Turn
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.parts import requantize
from edgeternary.hdl.parts.mul import between
from edgeternary.hdl.states import shown
from edgeternary.hdl.streams import BRISK, brisk
from edgeternary.hdl.times import Times, spaced
from edgeternary.ir import Graph
from edgeternary.ops import Requantize, RmsNorm
from edgeternary_hw.element import Element
from edgeternary_hw.rms_norm import RmsNorm as Unit

NORMED = Element("signed", 16)


class Norms(Engine):
    """One norm and one requantize, for layers that a requantize follows each."""

    @classmethod
    def turn(cls, graph: Graph, op: Any) -> Turn:
        readers = graph.consumers(op.name)
        if len(readers) != 1 or not isinstance(readers[0], Requantize) or op.name in shown(graph):
            return ()
        return (op, readers[0])

    @classmethod
    def alike(cls, graph: Graph, turn: Turn) -> object:
        scale = cast(Requantize, turn[-1])
        return graph.ins(turn[0])[0].size, scale.zero, scale.lo, scale.hi, scale.type, scale.rounding

    @classmethod
    def ends(cls, b: Builder, turns: list[Turn]) -> Ends:
        values = [b.graph.ins(turn[0])[0] for turn in turns]
        low, high = min(v.lo for v in values), max(v.hi for v in values)
        return Ends(interval_element(low, high), 1, stream_element(b.graph.values[turns[0][-1].name]), 1)

    def parts(self) -> list[tuple[str, Any, int]]:
        values = [self.b.graph.ins(turn[0])[0] for turn in self.turns]
        most = max(max(-v.lo, v.hi) for v in values)
        norm = unit(self.b, self.at.source, self.size, most)
        scales = [cast(Requantize, turn[-1]) for turn in self.turns]
        scale = requantize.unit(scales, NORMED, self.at.target, 1)
        return [("", norm, norm.interval), ("scale", scale, self.size)]


class RmsNormLayer(Layer[RmsNorm], Part[Unit]):
    kind = "rms_norm"
    answers = Answers.LATE
    shared = Norms
    hardware = Unit

    def build(self, b: Builder, op: RmsNorm, ins: list[Wire]) -> Wire:
        wire = b.adapt(ins[0], 1, op.name)
        channels, most = wire.value.channels, max(abs(wire.value.lo), abs(wire.value.hi))
        vectors = wire.value.size // channels
        part = unit(b, wire.element, channels, most, vectors)
        b.through(part, wire, op.name, busy=vectors * part.interval)
        return b.output(part, op.name, 1)

    def lanes(self, op: RmsNorm, at: Arrival) -> int:
        return 1

    def area(self, part: Unit) -> Area:
        """A multiplier, the sum of squares with its shifts by two, the root's three adders and two choices,
        the shift of a product by any distance, and a clamp."""
        p = part
        width, total = p.element.width, 16 + 2 * p.most_h
        luts = 3.3 * p.speed.digits * 19 + 2 * total + 170 + 4 * (17 + width) + 2 * width + 90
        return Area(luts, 5 * width + total + 2 * 33 + 34 + 90 + between(p.speed, 17))

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        """Vector by vector: taken in, a number in `steps` cycles; the root; sent in the same way."""
        sent, steps = [], part.speed.steps
        for vector in ins[0].reshape(-1, part.channels):
            before = None if last is None else last[-1:] - steps - 1  # the last one is on its way out
            taken = spaced(vector, steps, before)
            last = taken[-1] + part.pause + steps * np.arange(part.channels, dtype=np.int64)
            sent.append(last)
        return np.concatenate(sent)


def unit(b: Builder, element: Element, channels: int, most: int, vectors: int = 1) -> Unit:
    """A norm of numbers within [-most, most]."""

    def make(digits: int) -> Unit:
        return Unit(element, channels, most, digits=digits)

    part: Unit = brisk(b, make, lambda part: vectors * part.interval * 2 // BRISK)  # two passes and more
    return part
