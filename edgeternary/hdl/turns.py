"""Layers that share parts: in a network with states a step waits for the one before, and they for each other.

Vectors come in in turn, in the order of the graph, and go out in turn: through one norm and the requantize
that follows each, or through one matrix whose rows are those of all turns. No turn waits for a later one:
each layer of a group depends on the one before it, and a fork holds what a later one needs (hdl.branches).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.part import Described
from edgeternary.hdl.parts import layers
from edgeternary.hdl.passes.together import SHARES
from edgeternary.hdl.states import reached, used
from edgeternary.ir import Graph, Op
from edgeternary_hw.element import Element
from edgeternary_hw.join import Concat
from edgeternary_hw.turns import Turns

Turn = tuple[Op, ...]  # layers in a row: the first takes a stream, the last gives one


@lru_cache(maxsize=16)  # planning builds a graph for every folding that it tries
def groups(graph: Graph) -> list[tuple[type[Engine], list[Turn]]]:
    """The turns of each group, two or more, and what they go through; none in a network without states, whose
    frames follow freely."""
    alike: dict[object, tuple[type[Engine], list[Turn]]] = {}
    needed = used(graph) if graph.states else set()
    for op in graph.ops:
        engine = layers()[op.kind].shared if op.name in needed else None
        turn = engine.turn(graph, op) if engine and len(graph.ins(op)[0].shape) == 1 else ()
        if engine and turn:
            _, turns = alike.setdefault((engine, engine.alike(graph, turn)), (engine, []))
            if not turns or op.name in reached(graph, turns[-1][-1].name):
                turns.append(turn)
    return [(engine, turns) for engine, turns in alike.values() if len(turns) > 1]


class Shared:
    """The groups of a design while it is being built."""

    def __init__(self, b: Builder) -> None:
        self.turns: dict[str, tuple[Engine, int]] = {}
        for make, turns in groups(b.graph):
            engine = make(b, turns)
            self.turns |= {op.name: (engine, k) for k, turn in enumerate(turns) for op in turn}

    def wire(self, op: Op, ins: list[Wire]) -> Wire:
        """What a layer of a group answers. Within a turn it is no stream of its own."""
        engine, k = self.turns[op.name]
        if op is engine.turns[k][0]:
            engine.take(k, ins[0])
        return engine.give(k) if op is engine.turns[k][-1] else replace(ins[0], port=None)


@dataclass(frozen=True)
class Ends:
    """Beats that come into shared parts, `lanes` numbers of `source` each, and that go out: `outputs` of
    `target`."""

    source: Element
    lanes: int
    target: Element
    outputs: int


class Engine(Described, abstract=True):
    """Concat, the parts that all turns share, Turns."""

    def __init__(self, b: Builder, turns: list[Turn]) -> None:
        self.b, self.turns, self.at = b, turns, self.ends(b, turns)
        self.size, self.given = b.graph.ins(turns[0][0])[0].size, b.graph.values[turns[0][-1].name].size
        count = len(turns)
        self.name = f"{turns[0][0].name}{SHARES}{count - 1}"
        self.entry = Concat(self.at.lanes * self.at.source.width, [self.size // self.at.lanes] * count)
        self.exit = Turns(self.at.outputs * self.at.target.width, [self.given // self.at.outputs] * count)

    @classmethod
    @abstractmethod
    def turn(cls, graph: Graph, op: Any) -> Turn:
        """The layers of a turn that begins with `op`, which reads a vector; () for none."""

    @classmethod
    @abstractmethod
    def alike(cls, graph: Graph, turn: Turn) -> object:
        """What turns of one group have in common."""

    @classmethod
    @abstractmethod
    def ends(cls, b: Builder, turns: list[Turn]) -> Ends:
        """The beats that come in and go out."""

    @abstractmethod
    def parts(self) -> list[tuple[str, Any, int]]:
        """(role, part, cycles a turn) of those that all turns share, in order."""

    def take(self, k: int, wire: Wire) -> None:
        """Connects input k; after the last one the parts are added."""
        b, name = self.b, self.turns[k][0].name
        wire = b.adapt(b.recode(wire, self.at.source, name), self.at.lanes, name)
        b.connect(wire.port, self.entry, f"i{k}")
        if k < len(self.turns) - 1:
            return
        chain = [
            ("turns", self.entry, self.size // self.at.lanes),
            *self.parts(),
            ("deal", self.exit, self.given // self.at.outputs),
        ]
        before: Any = None
        for role, part, cycles in chain:
            b.part(part, self.name, role, cycles * len(self.turns))
            if before is not None:
                b.connect(before.o, part)
            before = part

    def give(self, k: int) -> Wire:
        value = self.b.graph.values[self.turns[k][-1].name]
        return Wire(getattr(self.exit, f"o{k}"), self.at.target, self.at.outputs, value)
