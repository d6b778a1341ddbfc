"""shift: the oldest channels of the first input are dropped, and the second input follows the others."""

import math

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.hdl.streams import cut, in_turn
from edgeternary.ops import Shift


class ShiftLayer(Layer[Shift]):
    kind = "shift"
    answers = Answers.IN_TURN

    def build(self, b: Builder, op: Shift, ins: list[Wire]) -> Wire:
        old, new = ins
        kept = cut(b, op, old, new.value.channels, old.value.channels)
        return in_turn(b, op, [kept, new], max(old.lanes, new.lanes))

    def lanes(self, op: Shift, at: Arrival) -> int:
        old, new = (v.channels for v in at.ins)
        return math.gcd(old - new, new, max(at.lanes)) if any(at.lanes) else 0
