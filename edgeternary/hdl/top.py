"""Graph -> Amaranth: one part or a few for every layer, joined by streams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.hdl import frames, loops, wired
from edgeternary.hdl.branches import capacities
from edgeternary.hdl.builder import Builder, Mask, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.folding import fold, slowest
from edgeternary.hdl.limits import check
from edgeternary.hdl.parts import layers
from edgeternary.hdl.passes import prepared
from edgeternary.hdl.passes.pad import real, sizes
from edgeternary.hdl.ports import Ends, Port
from edgeternary.hdl.states import Kept, kept, starting, used
from edgeternary.hdl.turns import Shared
from edgeternary.ir import Graph, IntArray, Value
from edgeternary.ir.ports import join, joined_shape, only, split
from edgeternary_hw import Answer, Element

BYTE = Element("unsigned", 8)


@dataclass(frozen=True)
class Design:
    """A network as hardware.

    top       component with the streams of `ins` and `outs`: i and o where there is one input and one output.
              With states a frame is a step, and the first stream in has a bit more, the highest: 1 with the
              first beat of a step forgets all states before it
    edges     how the parts are joined, see hdl.builder
    answer    the part that makes the output bytes, if there is one: a beat of o is answer.beat bytes then
    single_port_rams  of the device that it may use, see hdl.memory.allocate
    weights   the bytes that the top's stream `load` takes before the first frame, see hdl.loading
    busy      by instance, the cycles a frame that a part works when it waits for nobody
    layers    by instance, the layer that a part belongs to
    padded    what was padded, for people to read, see hdl.passes.pad
    taps      streams at part borders, by layer name; `reshape` shares the stream of its input
    """

    graph: Graph
    folding: Folding
    top: Any
    ins: tuple[Port, ...]
    outs: tuple[Port, ...]
    taps: dict[str, Wire]
    busy: dict[str, int]
    layers: dict[str, str]
    edges: list[tuple[Any, Any, str]]
    answer: Answer | None = None
    single_port_rams: int = 0
    weights: bytes = b""
    padded: tuple[str, ...] = ()

    def with_parts(self, parts: list[tuple[str, Any]]) -> Design:
        """The design with other parts in place of its own: copies of them on the same ports."""
        other = {id(old): new for (_, old), (_, new) in zip(self.top.parts, parts, strict=True)}
        edges = [(port, other[id(part)], name) for port, part, name in self.edges]
        return replace(self, top=self.top.with_parts(parts), edges=edges)

    @property
    def cycles(self) -> int:
        """Cycles from one frame to the next when frames come and go freely: those of the busiest part, or
        those in which what a step writes comes around to the next one. A network with an upsample may have
        branches that wait for more than a frame: then an upper bound, see loops.waiting."""
        busiest = max(self.busy.values())
        if not self.stateful and any(op.kind == "upsample" for op in self.graph.ops):
            return max(busiest, loops.waiting(self.top.parts, self.edges, self._beats, busiest))
        return max(busiest, loops.period(self.top.parts, self.edges))

    @property
    def latency(self) -> int:
        """Cycles from the first beat of a frame in to the last one of its answer, both counted, in a design
        that nothing else is in: of a network whose next input waits for the answer."""
        return loops.latency(self.top.parts, self.edges, self._beats, len(self.outs))

    @property
    def _beats(self) -> list[int]:
        """Beats of a frame on each stream in."""
        return [port.beats for port in self.ins]

    @property
    def i(self) -> Port:
        """The one stream in; EdgeTernaryError for a design with several."""
        return only(self.ins, self.graph.name, "inputs")

    @property
    def o(self) -> Port:
        """The one stream out; EdgeTernaryError for a design with several."""
        return only(self.outs, self.graph.name, "outputs")

    @property
    def i_lanes(self) -> int:
        return self.i.lanes

    @property
    def o_lanes(self) -> int:
        return self.o.lanes

    @property
    def i_element(self) -> Element:
        return self.i.element

    @property
    def o_element(self) -> Element:
        return self.o.element

    @property
    def stateful(self) -> bool:
        """Whether something is kept from step to step."""
        return bool(kept(self.graph))

    @property
    def i_beats(self) -> int:
        """Beats of a frame in."""
        return self.i.beats

    @property
    def o_beats(self) -> int:
        return self.o.beats

    def stimulus(self, inputs: IntArray) -> frames.Words:
        """`stimuli` of the one input."""
        return only(self.stimuli(inputs), self.graph.name, "inputs")

    def stimuli(self, inputs: IntArray) -> list[frames.Words]:
        """For each stream in the payloads (beats, words) of codes (samples, *shape), or (samples, steps,
        *shape) with states; several inputs come in their joined form."""
        steps = inputs.shape[1] if self.stateful else 1
        return self._marked(inputs, max(steps * self.ins[0].beats, 1))

    def frame(self, codes: IntArray, first: bool) -> list[frames.Words]:
        """The same for the codes of one frame; `first`: a sample starts with it."""
        return self._marked(codes, self.ins[0].beats if first else 0)

    def _marked(self, codes: IntArray, every: int) -> list[frames.Words]:
        """Codes as payloads. With states, every `every`-th one of the first stream, from the first on, has
        the additional bit set; with 0 none has it."""
        found = []
        for port, part in zip(self.ins, split(self.graph.inputs, codes).values(), strict=True):
            marked = self.stateful and port is self.ins[0]
            vectors = part.reshape(-1, port.value.size)
            missing = port.beats * port.lanes - vectors.shape[1]
            whole = np.pad(vectors, ((0, 0), (0, missing)))
            words = frames.pack(whole, port.element, port.lanes, spare=int(marked))
            if marked and every:
                bit = port.lanes * port.element.width
                words[::every, bit // 32] |= np.uint32(1 << bit % 32)
            found.append(words)
        return found

    def lead(self, inputs: IntArray) -> tuple[int, ...]:
        """The axes of inputs in front of those of a frame: (samples,) or (samples, steps)."""
        return inputs.shape[: inputs.ndim - len(joined_shape(self.graph.inputs))]

    def gathered(self, words: Sequence[frames.Words], lead: tuple[int, ...]) -> IntArray:
        """The output tensors int32 (*lead, *shape), of several outputs in their joined form, out of the
        payloads of all frames on each stream out."""
        if len(self.outs) == 1:
            return self.outputs(words[0], lead)
        parts = {
            port.value.name: frames.unpack(part, port.element, port.lanes, (*lead, *port.value.shape))
            for port, part in zip(self.outs, words, strict=True)
        }
        return join([port.value for port in self.outs], parts)

    def outputs(self, words: frames.Words, lead: tuple[int, ...]) -> IntArray:
        """The tensors int32 (*lead, *shape) of one output out of the payloads (beats, words) of all frames.

        EdgeTernaryError where the index of the largest number, which an answer ends with, is another one.
        """
        shape, count = self.o.value.shape, math.prod(lead)
        if not self.answer:
            return frames.unpack(words, self.o_element, self.o_lanes, (*lead, *shape))
        numbers, index = frames.answers(words, count, self.answer, self.graph.output_value.type.signed)
        if index is not None and (wrong := np.flatnonzero(index != numbers.argmax(axis=1))).size:
            raise EdgeTernaryError(
                f"the hardware of model {self.graph.name!r} names the wrong class for frame {wrong[0]}",
                f"it says {index[wrong[0]]}, the largest output is {numbers[wrong[0]].argmax()}",
                "report this as a bug",
                NOT_BIT_EXACT,
            )
        return numbers.reshape(*lead, *shape)

    @property
    def ports(self) -> dict[str, int]:
        """Ports of the generated module and their bits."""
        own = [port.name for port in (*self.ins, *self.outs)]
        names = (*own, "load") if self.weights else tuple(own)
        streams = {f"{name}__payload": len(getattr(self.top, name).payload) for name in names}
        states = dict.fromkeys(("load__done", "load__failed", "load__clear"), 1) if self.weights else {}
        streams |= {f"{n}__{w}": 1 for n in names for w in ("valid", "ready")}
        return {"clk": 1, "rst": 1, **streams, **states}

    def limit(self, count: int) -> int:
        """Cycles in which `count` frames are through even when both sides pause; with more it is stuck."""
        steps = (
            max(self.folding.cycles, self.cycles)
            + sum(port.value.size for port in self.ins)
            + max(max(port.value.size, port.beats) for port in self.outs)
        )
        return 1000 + 8 * (count + len(self.graph.ops) + 2) * steps

    @property
    def load_limit(self) -> int:
        """Cycles in which the loader takes all weights, when they come without long pauses."""
        return 1000 + 4 * len(self.weights)


def build(graph: Graph, folding: Folding | None = None, *, answer: bool = False) -> Design:
    """The design of a graph. EdgeTernaryError, by layer name, for what cannot be built.

    answer  the output leaves as bytes, little-endian, with the index of the largest number after those of a
            vector: what an FPGA's pins or a host can take
    """
    check(graph)
    if answer:
        graph.check_single("an answer as bytes", "build the core, whose outputs are streams")
    shapes = graph.values
    folding = folding or fold(graph)
    before = prepared(graph, wired=folding.wired)
    graph = prepared(graph, folding.padded, folding.wired)
    known = layers()
    b = Builder(graph, folding, slowest(graph, folding))
    states = kept(graph)
    ends = Ends(b)
    sources = ends.enter(bool(states))
    wires: dict[tuple[str, str, int], Wire] = {}
    around = None
    if states:
        sources[0], starts = starting(b, sources[0], states)
        around = Kept(b, starts)
        for name, held in around.wires.items():
            wires |= _forked(b, name, held)
    for x, source in zip(graph.inputs, sources, strict=True):
        wires |= _forked(b, x.name, b.recode(source, stream_element(x), x.name))
    taps = {}
    shared = Shared(b)
    whole = sources[0].lanes == graph.inputs[0].size
    for ops, as_wires in wired.groups(graph, folding, whole):
        first, last = ops[0], ops[-1]
        if not _readers(graph, last.name):
            continue
        read = [wires.pop((name, first.name, k)) for k, name in enumerate(first.inputs)]
        if as_wires:
            taps[last.name] = wired.run(b, ops, wired.entry(b, first, read[0]))
        elif first.name in shared.turns:
            taps[last.name] = shared.wire(first, read)
        else:
            taps[last.name] = known[first.kind].build(b, first, read)
        wires |= _forked(b, last.name, taps[last.name])
    for k, state in enumerate(states):
        assert around
        around.close(state.value.name, wires.pop((state.next, "", k + 1)))
    lasts = [wires.pop((name, "", 0)) for name in graph.outputs]
    if answer:
        leave = _answer(b, graph.output_value, lasts[0])
        ends.leave(leave, Port("o", graph.output_value, BYTE, leave.beat, leave.beats))
    else:
        ends.streams(lasts)
    top = ends.top()
    top.parts = b.parts
    return Design(
        graph,
        folding,
        top,
        tuple(port for port, _ in ends.ins),
        tuple(port for port, _ in ends.outs),
        {
            name: _tap(wire, shapes[name], real(graph).get(name))
            for name, wire in taps.items()
            if name in shapes and wire.port is not None
        },
        b.busy,
        b.layers,
        b.edges,
        leave if answer else None,
        padded=sizes(before, graph) if graph is not before else (),
    )


def _tap(wire: Wire, value: Value, real: Mask | None) -> Wire:
    """The stream of a layer's answer, for those who compare it with the original's."""
    if real is None:
        return replace(wire, value=value)
    return replace(wire, shape=value.shape, real=real)


def answer_bytes(value: Value) -> int:
    """Bytes of each number in an answer, 1, 2 or 4: as many as its interval asks for."""
    element = stream_element(value)
    bits = element.width + (value.type.signed and element.kind == "unsigned")
    return next(size for size in (1, 2, 4) if 8 * size >= bits)


def _answer(b: Builder, value: Value, last: Wire) -> Answer:
    """The output as bytes; of a vector of several numbers, with the index of the largest one."""
    last = b.adapt(last, 1, value.name)
    size, index = answer_bytes(value), len(value.shape) == 1 and value.size > 1
    part = Answer(last.element, value.size, size, index=index, beat=b.folding.answer_bytes)
    b.through(part, last, value.name, "answer", part.beats)
    return part


def _readers(graph: Graph, name: str) -> list[tuple[str, int]]:
    """(layer, input number) that read a value and lead to an output; ("", 0) is the output itself, and
    ("", k + 1) what is written into the k-th state that is kept."""
    names = used(graph)
    found = [(o.name, k) for o in graph.ops if o.name in names for k, x in enumerate(o.inputs) if x == name]
    found += [("", 0)] if name in graph.outputs else []
    return found + [("", k + 1) for k, state in enumerate(kept(graph)) if state.next == name]


def _forked(b: Builder, name: str, wire: Wire) -> dict[tuple[str, str, int], Wire]:
    """The stream of a value for each of its readers: (value, reader, input number) -> Wire."""
    readers = _readers(b.graph, name)
    if not readers:
        return {}
    cycles = min(b.folding.cycles, max(b.slowest, *b.busy.values()))  # the design's own, or fewer
    branches = b.fork(wire, capacities(b.graph, readers, wire.beats, cycles), name)
    return {(name, *reader): replace(branch) for reader, branch in zip(readers, branches, strict=True)}
