"""Layers whose weights are wires: answers within some clocks, for networks that are small."""

from abc import abstractmethod
from typing import TypeVar

from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.parts import layers
from edgeternary.hdl.times import Times, delayed
from edgeternary.ir import Graph, Op
from edgeternary.ops import Dense

MOST = 1 << 14  # weights that are not 0: each is an adder
O = TypeVar("O", bound=Op)  # noqa: E741
C = TypeVar("C")


class WiredLayer(Layer[O], Part[C], abstract=True):
    """A layer that takes all numbers of a vector in a clock, and answers in the next one."""

    wired = True
    answers = Answers.PLAIN

    @abstractmethod
    def area(self, part: C) -> Area: ...

    def refused(self, op: O) -> str:
        """Why this op cannot be wired, "" where it can."""
        return ""

    def lanes(self, op: O, at: Arrival) -> int:
        return at.out.size

    def times(self, part: C, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, 1, last)


def why_not(graph: Graph) -> str:
    """What keeps a graph from being wired, "" for nothing: it must be a chain of small dense layers."""
    if graph.states:
        return f"it keeps {graph.states[0].value.name!r} between steps, for which wired layers have no place"
    used, known = 0, layers(wired=True)
    for op in graph.ops:
        layer = known.get(op.kind)
        if not isinstance(layer, WiredLayer):
            *first, last = known
            kinds = f"{', '.join(first)} and {last}"
            return f"layer {op.name!r} is a {op.kind}, and only {kinds} layers are wired"
        if why := layer.refused(op):
            return f"layer {op.name!r} {why}"
        if isinstance(op, Dense):
            used += int((op.weights != 0).sum())
    return f"{used:,} weights are not 0, {MOST:,} can be wired" if used > MOST else ""


def latency(graph: Graph, lanes: int) -> int:
    """Clocks from the first beat in to the answer's, both counted: a register a layer and one at either end;
    where less than all channels come in a beat, `lanes`, those as well in which they gather.
    """
    beats = graph.input.size // lanes
    return len(graph.ops) + 3 + (beats if beats > 1 else 0)
