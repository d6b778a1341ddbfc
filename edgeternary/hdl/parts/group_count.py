"""group_count: all groups at once."""

from edgeternary.hdl import wired
from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.ops import GroupCount


class GroupCountLayer(Layer[GroupCount]):
    kind = "group_count"
    answers = Answers.LATE

    def build(self, b: Builder, op: GroupCount, ins: list[Wire]) -> Wire:
        return wired.run(b, [op], wired.entry(b, op, ins[0]))

    def lanes(self, op: GroupCount, at: Arrival) -> int:
        return at.out.channels
