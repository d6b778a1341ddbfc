"""States in hardware: which ones are needed, how many channels a beat they come with, and their parts.

A state is an edge of the dataflow graph with a frame on it from the start: see edgeternary_hw.State. What
the step before wrote is read by the ordinary fork of streams, so a graph with states stays one of streams.
"""

from collections.abc import Mapping

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.folding import input_lanes, lanes
from edgeternary.hdl.frames import pack, payloads
from edgeternary.hdl.part import Answers, Arrival
from edgeternary.hdl.parts import layers
from edgeternary.ir import Graph, State
from edgeternary_hw import Starts
from edgeternary_hw import State as StatePart


def used(graph: Graph) -> set[str]:
    """Names of the values that the answers depend on, in this step or a later one."""
    found, before = set(graph.outputs), 0
    while len(found) != before:
        before = len(found)
        for op in reversed(graph.ops):
            if op.name in found:
                found.update(op.inputs)
        found.update(state.next for state in graph.states if state.value.name in found)
    return found


def shown(graph: Graph) -> set[str]:
    """Names of the values that leave a step: the answers, and what is written into states."""
    return set(graph.shown)


def reached(graph: Graph, name: str) -> frozenset[str]:
    """Names of the values that depend on the value `name` within a step, itself included."""
    found = {name}
    for op in graph.ops:
        if found.intersection(op.inputs):
            found.add(op.name)
    return frozenset(found)


def kept(graph: Graph) -> list[State]:
    """The states that the answers depend on."""
    names = used(graph)
    return [state for state in graph.states if state.value.name in names]


def state_lanes(graph: Graph, folding: Folding) -> dict[str, int]:
    """{state: channels a beat}: as many as the stream that is written into it has, so that no converter lies
    on the way around; where those miss the pace, the fewest that keep it."""
    found = {state.value.name: 0 for state in kept(graph)}  # 0: as what it meets
    for _ in range(len(found) + 1):
        streams = _streams(graph, folding, found)
        before = dict(found)
        for state in kept(graph):
            found[state.value.name] = streams[state.next]
        if before == found:
            break
    return {
        state.value.name: _fitting(state.value.channels, state.value.size, found[state.value.name], folding)
        for state in kept(graph)
    }


def _fitting(channels: int, size: int, wanted: int, folding: Folding) -> int:
    if wanted and channels % wanted == 0 and size // wanted <= folding.cycles:
        return wanted
    return lanes(channels, size, folding.cycles, wanted or 1)


def _streams(graph: Graph, folding: Folding, states: Mapping[str, int]) -> dict[str, int]:
    """Channels a beat that each value comes with; 0: any number."""
    found = {x.name: input_lanes(graph, folding, x) for x in graph.inputs} | dict(states)
    for op in graph.ops:
        sources = tuple(found.get(name, 0) for name in op.inputs)
        at = Arrival(tuple(graph.ins(op)), graph.values[op.name], sources, folding.folds.get(op.name))
        found[op.name] = layers()[op.kind].lanes(op, at)
    return found


def ahead(graph: Graph) -> int:
    """Frames that may have come in beyond the one that a state is read for: those that the layers in front
    of its first reader can hold, which is two for each layer that keeps beats back."""
    return 4 + 2 * sum(layers()[op.kind].answers is Answers.LATE for op in graph.ops)


def starting(b: Builder, wire: Wire, states: list[State]) -> tuple[Wire, Starts]:
    """The input without its highest bit, and the part that hands that to the states."""
    part = Starts(wire.lanes * wire.element.width, wire.beats, len(states))
    b.connect(wire.port, b.part(part, wire.value.name, "starts", busy=part.beats))
    return Wire(part.o0, wire.element, wire.lanes, wire.value), part


class Kept:
    """The parts of a design's states: made before the layers that read them, closed after them."""

    def __init__(self, b: Builder, starts: Starts) -> None:
        self.b = b
        self.parts: dict[str, StatePart] = {}
        self.wires: dict[str, Wire] = {}
        chosen = state_lanes(b.graph, b.folding)
        for k, state in enumerate(kept(b.graph)):
            value, element = state.value, stream_element(state.value)
            count = chosen[value.name]
            words = payloads(pack(state.init, element, count))
            part = StatePart(count * element.width, words, ahead(b.graph))
            b.connect(getattr(starts, f"o{k + 1}"), part, "i1")
            self.parts[value.name] = part
            self.wires[value.name] = Wire(part.o, element, count, value)

    def close(self, name: str, wire: Wire) -> None:
        """Connects what a step writes into a state. Its part comes after those that write it: what a FIFO
        sends is known once the FIFO is elaborated."""
        state, part = self.wires[name], self.parts[name]
        wire = self.b.adapt(self.b.recode(wire, state.element, name), state.lanes, name)
        self.b.connect(wire.port, self.b.part(part, name, "state", busy=len(part.initial)), "i0")
