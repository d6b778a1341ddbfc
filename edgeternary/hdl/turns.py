"""Layers that share parts: in a network with states a step waits for the one before, and they for each other.

Vectors come in in turn, in the order of the graph, and go out in turn: through one norm and the requantize
that follows each, or through one matrix whose rows are those of all turns. No turn waits for a later one:
each layer of a group depends on the one before it, and a fork holds what a later one needs (hdl.branches).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element, stream_element
from edgeternary.hdl.parts import NORMED, norm_part, requantize_part
from edgeternary.hdl.states import reached, shown, used
from edgeternary.hdl.together import SHARES
from edgeternary.ir import Graph, Op
from edgeternary.ops import Dense, Requantize, RmsNorm
from edgeternary_hw import Concat, Element, MatrixVector, Replay, Turns

Turn = tuple[Op, ...]  # layers one behind the other: the first takes a stream, the last gives one


def groups(graph: Graph) -> list[list[Turn]]:
    """Turns of each group, two or more; none in a network without states, whose frames follow freely."""
    found: dict[object, list[Turn]] = {}
    wanted = used(graph) if graph.states else set()
    for op in graph.ops:
        turn = _turn(graph, op) if op.name in wanted else ()
        if turn:
            turns = found.setdefault(_alike(graph, turn), [])
            if not turns or op.name in reached(graph, turns[-1][-1].name):
                turns.append(turn)
    return [turns for turns in found.values() if len(turns) > 1]


def _turn(graph: Graph, op: Op) -> Turn:
    """The layers of a turn that begins with `op`, () for none."""
    readers = graph.consumers(op.name)
    if len(graph.ins(op)[0].shape) != 1:
        return ()
    if isinstance(op, Dense) and [reader.kind for reader in readers] != ["threshold"]:
        return (op,)
    if isinstance(op, RmsNorm) and len(readers) == 1 and isinstance(readers[0], Requantize):
        return (op, readers[0]) if op.name not in shown(graph) else ()
    return ()


def _alike(graph: Graph, turn: Turn) -> object:
    """What turns of one group have in common."""
    first, last = turn[0], turn[-1]
    value = graph.ins(first)[0]
    if isinstance(first, Dense):
        return first.weights.shape, first.weight_type, stream_element(value)
    scale = cast(Requantize, last)
    return value.size, scale.zero, scale.lo, scale.hi, scale.type, scale.rounding


class Shared:
    """The groups of a design while it is being built."""

    def __init__(self, b: Builder) -> None:
        self.turns: dict[str, tuple[_Engine, int]] = {}
        for turns in groups(b.graph):
            engine = (_Matrices if isinstance(turns[0][0], Dense) else _Norms)(b, turns)
            self.turns |= {op.name: (engine, k) for k, turn in enumerate(turns) for op in turn}

    def wire(self, op: Op, ins: list[Wire]) -> Wire:
        """What a layer of a group answers. Within a turn it is no stream of its own."""
        engine, k = self.turns[op.name]
        if op is engine.turns[k][0]:
            engine.take(k, ins[0])
        return engine.give(k) if op is engine.turns[k][-1] else replace(ins[0], port=None)


class _Engine:
    """Concat, the parts that all share, Turns.

    source, lanes  of the beats that come in; target, outputs  of those that go out
    """

    def __init__(
        self, b: Builder, turns: list[Turn], source: Element, lanes: int, target: Element, outputs: int
    ) -> None:
        self.b, self.turns = b, turns
        self.source, self.lanes, self.target, self.outputs = source, lanes, target, outputs
        self.size, self.given = b.graph.ins(turns[0][0])[0].size, b.graph.values[turns[0][-1].name].size
        count = len(turns)
        self.name = f"{turns[0][0].name}{SHARES}{count - 1}"
        self.entry = Concat(lanes * source.width, [self.size // lanes] * count)
        self.exit = Turns(outputs * target.width, [self.given // outputs] * count)

    def parts(self) -> list[tuple[str, Any, int]]:
        """(role, part, cycles a turn) of those between, in order."""
        raise NotImplementedError

    def take(self, k: int, wire: Wire) -> None:
        """Connects input k; behind the last one come the parts."""
        b, name = self.b, self.turns[k][0].name
        wire = b.adapt(b.recode(wire, self.source, name), self.lanes, name)
        b.connect(wire.port, self.entry, f"i{k}")
        if k < len(self.turns) - 1:
            return
        chain = [
            ("turns", self.entry, self.size // self.lanes),
            *self.parts(),
            ("deal", self.exit, self.given // self.outputs),
        ]
        before: Any = None
        for role, part, cycles in chain:
            b.part(part, self.name, role, cycles * len(self.turns))
            if before is not None:
                b.connect(before.o, part)
            before = part

    def give(self, k: int) -> Wire:
        value = self.b.graph.values[self.turns[k][-1].name]
        return Wire(getattr(self.exit, f"o{k}"), self.target, self.outputs, value)


class _Norms(_Engine):
    def __init__(self, b: Builder, turns: list[Turn]) -> None:
        values = [b.graph.ins(turn[0])[0] for turn in turns]
        low, high = min(v.lo for v in values), max(v.hi for v in values)
        self.most = max(-low, high)
        target = stream_element(b.graph.values[turns[0][-1].name])
        super().__init__(b, turns, interval_element(low, high), 1, target, 1)

    def parts(self) -> list[tuple[str, Any, int]]:
        norm = norm_part(self.b, self.source, self.size, self.most)
        scales = [cast(Requantize, turn[-1]) for turn in self.turns]
        scale = requantize_part(scales, NORMED, self.target, 1)
        return [("", norm, norm.interval), ("scale", scale, self.size)]


class _Matrices(_Engine):
    """As hdl.matrix makes them, a vector after the other, each by the rows of its own layer."""

    def __init__(self, b: Builder, turns: list[Turn]) -> None:
        self.layers = [cast(Dense, turn[0]) for turn in turns]
        self.fold = b.folding.folds[self.layers[0].name]
        values = [b.graph.values[op.name] for op in self.layers]
        target = interval_element(min(-1, *(v.lo for v in values)), max(v.hi for v in values))
        source = stream_element(b.graph.ins(self.layers[0])[0])
        super().__init__(b, turns, source, self.fold.simd, target, self.fold.outputs)

    def parts(self) -> list[tuple[str, Any, int]]:
        fold, vector = self.fold, self.size // self.lanes
        unit = MatrixVector(
            np.concatenate([op.weights for op in self.layers]).tolist(),
            np.concatenate([op.bias for op in self.layers]).tolist(),
            self.source,
            pe=fold.pe,
            simd=fold.simd,
            outputs=fold.outputs,
            out_width=self.target.width,
        )
        passes = self.given // fold.pe
        found: list[tuple[str, Any, int]] = [("", unit, passes * unit.interval)]
        if passes > 1:
            buffer = Replay(fold.simd * self.source.width, vector, passes)
            found.insert(0, ("buffer", buffer, vector * passes))
        return found
