"""Layers that share parts: in a network with states a step waits for the one before, and they for each other.

Vectors come in in turn, in the order of the graph, and go out in turn: through one norm and the requantize
that follows each, or through one matrix whose rows are those of all turns. No turn waits for a later one:
each layer of a group depends on the one before it, and a fork holds what a later one needs (hdl.branches).
"""

from dataclasses import replace
from functools import lru_cache

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.engine import Engine, Turn
from edgeternary.hdl.parts import layers
from edgeternary.hdl.states import reached, used
from edgeternary.ir import Graph, Op


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
