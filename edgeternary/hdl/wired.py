"""Builders of layers whose weights are wires: answers within some clocks, for networks that are small."""

from __future__ import annotations

from typing import cast

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element, stream_element
from edgeternary.ir import Graph, Op
from edgeternary.ops import Argmax, Dense, Threshold
from edgeternary_hw import WiredArgMax, WiredDense, WiredThreshold

MOST = 1 << 14  # weights that are not 0: each is an adder


def dense(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    op, value = cast(Dense, op), b.graph.values[op.name]
    wire = b.adapt(ins[0], ins[0].value.size, op.name)
    out = interval_element(min(value.lo, -1), value.hi)
    part = WiredDense(op.weights.tolist(), op.bias.tolist(), wire.element, out.width)
    b.through(part, wire, op.name)
    return b.output(part, op.name, value.size, out)


def threshold(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    op = cast(Threshold, op)
    wire = b.adapt(ins[0], ins[0].value.channels, op.name)
    target = stream_element(b.graph.values[op.name])
    t, base, step = op.t.tolist(), op.base.tolist(), op.step.tolist()
    part = WiredThreshold(t, base, step, wire.element, target)
    b.through(part, wire, op.name)
    return b.output(part, op.name, wire.lanes)


def argmax(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    op = cast(Argmax, op)
    wire = b.adapt(ins[0], ins[0].value.size, op.name)
    part = WiredArgMax(wire.element, wire.value.size, stream_element(b.graph.values[op.name]).width)
    b.through(part, wire, op.name)
    return b.output(part, op.name, 1)


WIRED = {"dense": dense, "threshold": threshold, "argmax": argmax}


def why_not(graph: Graph) -> str:
    """What keeps a graph from being wired, "" for nothing: it must be a chain of small dense layers."""
    if graph.states:
        return f"it keeps {graph.states[0].value.name!r} between steps, for which wired layers have no place"
    used = 0
    for op in graph.ops:
        if op.kind not in WIRED:
            return f"layer {op.name!r} is a {op.kind}, and only dense, threshold and argmax layers are wired"
        if isinstance(op, Dense):
            if abs(op.weights).max() > 1:
                return f"layer {op.name!r} has {op.weight_type} weights, and wired ones are -1, 0 or +1"
            used += int((op.weights != 0).sum())
    return f"{used:,} weights are not 0, {MOST:,} can be wired" if used > MOST else ""


def latency(graph: Graph, lanes: int) -> int:
    """Clocks from the first beat in to the answer's, both counted: a register a layer and one at either end;
    where less than all channels come in a beat, `lanes`, those as well in which they gather.
    """
    beats = graph.input.size // lanes
    return len(graph.ops) + 3 + (beats if beats > 1 else 0)
