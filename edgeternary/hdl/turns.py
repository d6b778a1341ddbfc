"""Norms that share one part: in a network with states a step waits for the one before, and they for another.

The vectors come in in turn, in the order of the graph, through one norm and the requantize that follows each,
and go out in turn. No turn ever waits for a later one: each norm of a group depends on the one before it, and
a fork holds what a later one needs (hdl.branches).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element, stream_element
from edgeternary.hdl.parts import NORMED, norm_part, requantize_part
from edgeternary.hdl.together import SHARES
from edgeternary.ir import Graph, Op
from edgeternary.ops import Requantize, RmsNorm
from edgeternary_hw import Concat, Turns


@dataclass(frozen=True)
class Group:
    """Norms of vectors of one size, and what each is requantized by."""

    norms: tuple[RmsNorm, ...]
    scales: tuple[Requantize, ...]


def groups(graph: Graph) -> list[Group]:
    """Those with two turns or more; none in a network without states, whose frames follow freely."""
    found: dict[object, list[tuple[RmsNorm, Requantize]]] = {}
    for op in graph.ops if graph.states else ():
        readers = graph.consumers(op.name)
        if not isinstance(op, RmsNorm) or len(graph.values[op.name].shape) != 1 or len(readers) != 1:
            continue
        (scale,) = readers
        if not isinstance(scale, Requantize) or graph.output == op.name:
            continue
        size = graph.values[op.name].size
        key = (size, scale.zero, scale.lo, scale.hi, scale.type, scale.rounding)
        members = found.setdefault(key, [])
        if not members or _leads(graph, members[-1][1].name, op.name):
            members.append((op, scale))
    return [Group(*zip(*members, strict=True)) for members in found.values() if len(members) > 1]


def _leads(graph: Graph, first: str, last: str) -> bool:
    """Whether the value `last` depends on the value `first` of the same step."""
    reached = {first}
    for op in graph.ops:
        if reached.intersection(op.inputs):
            reached.add(op.name)
    return last in reached


class Shared:
    """The groups of a design while it is being built."""

    def __init__(self, b: Builder) -> None:
        self.turns: dict[str, tuple[_Engine, int]] = {}
        for group in groups(b.graph):
            engine = _Engine(b, group)
            for k, ops in enumerate(zip(group.norms, group.scales, strict=True)):
                self.turns.update({op.name: (engine, k) for op in ops})

    def wire(self, op: Op, ins: list[Wire]) -> Wire:
        """What a layer of a group answers. Between a norm and its requantize it is no stream of its own."""
        engine, k = self.turns[op.name]
        return engine.take(k, ins[0]) if isinstance(op, RmsNorm) else engine.give(k)


class _Engine:
    """Concat, norm, requantize with the tables of all turns, Turns."""

    def __init__(self, b: Builder, group: Group) -> None:
        self.b, self.group = b, group
        self.name = f"{group.norms[0].name}{SHARES}{len(group.norms) - 1}"
        values = [b.graph.ins(norm)[0] for norm in group.norms]
        low, high = min(v.lo for v in values), max(v.hi for v in values)
        self.element, self.most, self.size = interval_element(low, high), max(-low, high), values[0].size
        self.target = stream_element(b.graph.values[group.scales[0].name])
        beats = [self.size] * len(values)
        self.entry, self.exit = Concat(self.element.width, beats), Turns(self.target.width, beats)

    def take(self, k: int, wire: Wire) -> Wire:
        """Connects input k; behind the last one come the parts that all share."""
        b = self.b
        wire = b.adapt(b.recode(wire, self.element, self.group.norms[k].name), 1, self.group.norms[k].name)
        b.connect(wire.port, self.entry, f"i{k}")
        if k == len(self.group.norms) - 1:
            norm = norm_part(b, self.element, self.size, self.most)
            frames = k + 1
            b.part(self.entry, self.name, "turns", frames * self.size)
            b.connect(self.entry.o, b.part(norm, self.name, "", frames * norm.interval))
            scale = requantize_part(self.group.scales, NORMED, self.target, 1)
            b.connect(norm.o, b.part(scale, self.name, "scale", frames * self.size))
            b.connect(scale.o, b.part(self.exit, self.name, "deal", frames * self.size))
        return replace(wire, port=None)

    def give(self, k: int) -> Wire:
        value = self.b.graph.values[self.group.scales[k].name]
        return Wire(getattr(self.exit, f"o{k}"), self.target, 1, value)
