"""lookup: a function of each number as a table in ROM."""

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part, per_bit
from edgeternary.hdl.times import Times, delayed
from edgeternary.ir import Graph
from edgeternary.ops import Lookup
from edgeternary_hw.lookup import Lookup as Unit

MAX_TABLE_BITS = 16  # a lookup's ROM has 2^bits entries


class LookupLayer(Layer[Lookup], Part[Unit]):
    kind = "lookup"
    answers = Answers.ELEMENTWISE
    hardware = Unit
    pads = True

    def build(self, b: Builder, op: Lookup, ins: list[Wire]) -> Wire:
        wire = ins[0]
        target = stream_element(b.graph.values[op.name])
        part = Unit(op.table.tolist(), op.offset, wire.element, target, lanes=wire.lanes)
        b.through(part, wire, op.name)
        return b.output(part, op.name, wire.lanes)

    def lanes(self, op: Lookup, at: Arrival) -> int:
        return at.kept

    def refusal(self, op: Lookup, graph: Graph) -> tuple[str, str] | None:
        (x,) = graph.ins(op)
        if x.type.bits <= MAX_TABLE_BITS:
            return None
        why = f"its input is {x.type}, a table in ROM takes at most {MAX_TABLE_BITS} bits"
        return why, "requantize its input first"

    def area(self, part: Unit) -> Area:
        return per_bit(part, 0.2, 1)

    def times(self, part: Unit, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 1 + part.kept, last)
