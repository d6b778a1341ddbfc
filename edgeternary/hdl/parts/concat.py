"""concat: the channels of all inputs, one input after the other."""

import math
from collections.abc import Sequence

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, per_bit
from edgeternary.hdl.streams import in_turn
from edgeternary.hdl.times import Times, spaced
from edgeternary.ops import Concat
from edgeternary_hw.join import Concat as Unit


class ConcatLayer(Layer[Concat], Part[Unit]):
    kind = "concat"
    answers = Answers.IN_TURN
    hardware = Unit

    def build(self, b: Builder, op: Concat, ins: list[Wire]) -> Wire:
        return in_turn(b, op, ins, max(wire.lanes for wire in ins))

    def lanes(self, op: Concat, at: Arrival) -> int:
        return math.gcd(*(v.channels for v in at.ins), max(at.lanes)) if any(at.lanes) else 0

    def area(self, part: Unit) -> Area:
        return per_bit(part, 1, 0)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        pixels = [times.reshape(-1, beats) for times, beats in zip(ins, part.beats, strict=True)]
        return spaced(np.concatenate(pixels, axis=1).reshape(-1), 1, last)

    def lengths(self, part: Unit, ins: Sequence[Times | None]) -> list[int]:
        at, known = next((k, times) for k, times in enumerate(ins) if times is not None)
        return [len(known) // part.beats[at] * beats for beats in part.beats]
