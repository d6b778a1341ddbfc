"""Where the numbers of layers are found in the RTL: at the end of a part, or as nodes inside a wired run."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeternary.ir.names import identifier
from edgeternary.prove.machine import Cut, Machine
from edgeternary.prove.netlist import Module, Nets
from edgeternary.prove.places import Places, Reading, of_element
from edgeternary.prove.terms import TRUE, Bit, Word, X, constant
from edgeternary_hw import Wired
from edgeternary_hw.compare import Compare

if TYPE_CHECKING:
    from edgeternary.hdl.builder import Wire
    from edgeternary.hdl.top import Design

UNKNOWN = 2  # the net that stands for an unknown bit
Function = Callable[[Word, Word, tuple[Bit | None, ...]], Word]


@dataclass
class Beats:
    """Beats that have passed a stream: valid and ready are nets."""

    valid: Nets
    ready: Nets
    count: int = 0

    def clock(self, machine: Machine) -> None:
        """The cuts of the next beat are worked out also where no net changes with it."""
        if machine.read((*self.valid, *self.ready)) == (TRUE, TRUE):
            self.count += 1
            machine.again(self.valid)


@dataclass
class Border:
    """The numbers of one layer.

    size     of its answer
    lanes    of each number of a beat: for each of its words, the stream that it passes with, and its nets
    reading  how the number at a flat index is read
    unused   lanes that nothing reads
    found    by flat index, the formulas of the bits that were seen
    """

    name: str
    size: int
    lanes: list[list[tuple[Beats, Nets]]]
    reading: Callable[[int], Reading]
    places: Places
    unused: frozenset[int] = frozenset()
    found: dict[int, dict[int, Bit]] = field(default_factory=dict)

    def formula(self, index: int) -> Word | None:
        """All bits of a number; None where some were not seen."""
        bits, width = self.found.get(index, {}), self.reading(index).width
        return tuple(bits[k] for k in range(width)) if len(bits) == width else None

    def left_out(self, index: int) -> bool:
        return index % len(self.lanes) in self.unused

    @property
    def cuts(self) -> Iterator[Cut]:
        """One for each bit: a bit of a word can be made of another one of it."""
        for lane, words in enumerate(self.lanes):
            bits = [(beats, net) for beats, nets in words for net in nets]
            if lane not in self.unused:
                for at, (beats, net) in enumerate(bits):
                    yield Cut(self.name, beats.valid, (net,), self._function(lane, at, beats))

    def _function(self, lane: int, at: int, beats: Beats) -> Function:
        def function(valid: Word, raw: Word, seen: tuple[Bit | None, ...]) -> Word:
            index = beats.count * len(self.lanes) + lane
            if valid != (TRUE,) or index >= self.size or raw[0] < 0:
                return raw
            new = self.places.cut((self.name, index), at, self.reading(index), raw[0], seen[0])
            first = self.found.setdefault(index, {}).setdefault(at, raw[0])
            return (new,) if raw[0] in (first, new) else (X,)

        return function


@dataclass
class Borders:
    """All borders of a design in the order of the graph, and the streams whose beats are counted."""

    borders: dict[str, Border] = field(default_factory=dict)
    beats: list[Beats] = field(default_factory=list)


def borders(design: Design, module: Module, places: Places, known: Container[str]) -> Borders:
    """Where the RTL of a design has the numbers of its layers; known: the names of those of the graph that it
    was made of. Others that passes have put into a wired run are no borders."""
    done = Borders()
    owner = {id(part.o): name for name, part in design.top.parts if hasattr(part, "o")}
    parts = dict(design.top.parts)
    at: dict[str, Border] = {}
    for name, part in parts.items():
        if isinstance(part, Wired):
            before = next(owner.get(id(port), "") for port, reader, _ in design.edges if reader is part)
            at |= _nodes(design, module, (name, before), part, places, done, known)
    taken = set()
    for name, wire in design.taps.items():
        instance = owner.get(id(wire.port))
        if instance is None or instance in taken or wire.real is not None:
            continue
        taken.add(instance)
        if name not in at or any(
            len(words) < len(at[name].reading(k).words) for k, words in enumerate(at[name].lanes)
        ):  # the last layer of a run can be nothing but its payload
            border = _stream(module, (instance, parts[instance]), name, wire, places)
            if border:
                at[name] = border
                done.beats.append(border.lanes[0][0][0])
    order = [op.name for op in design.graph.ops if op.name in at]
    done.borders = {name: at[name] for name in order}
    for name in order:
        tap = design.taps.get(name)
        places.values[name] = tap.value if tap else design.graph.values[name]
        for index in range(at[name].size):
            if not (reading := at[name].reading(index)).width:  # a number that is always the same
                places.readings[name, index], places.words[name, index] = reading, ()
    return done


def _kept(module: Module, instance: str, part: Any) -> Nets | None:
    """The bits that a Compare keeps, out of several registers; UNKNOWN for those that nothing reads."""
    if not isinstance(part, Compare):
        return None
    found: list[int] = []
    for place in part.places:
        own = place if isinstance(place, int) else module.nets.get(f"{instance}.kept{place[0]}", ())
        if isinstance(own, int):
            found.append(own)
        else:
            found.append(own[place[1]] if len(own) > place[1] else UNKNOWN)
    return tuple(found) if set(found) != {UNKNOWN} else None


def _stream(module: Module, at: tuple[str, Any], name: str, wire: Wire, places: Places) -> Border | None:
    instance, part = at
    payload = _kept(module, instance, part) or _payload(module, instance, len(wire.port.payload))
    valid, ready = (module.nets.get(f"{instance}.o__{end}") for end in ("valid", "ready"))
    if payload is None or valid is None or ready is None:
        return None
    gain, offset = (int(wire.affine.gain), wire.affine.offset.tolist()) if wire.affine else (1, [0])
    readings = [of_element(wire.element, gain, int(shift)) for shift in offset]
    beats, lanes, first = Beats(valid, ready), [], 0
    for _ in range(wire.lanes):
        words = []
        for _, width, _ in readings[0].words:
            words.append((beats, payload[first : first + width]))
            first += width
        lanes.append(words)
    unused = frozenset(k for k, words in enumerate(lanes) if any(UNKNOWN in nets for _, nets in words))
    return Border(name, wire.value.size, lanes, lambda index: readings[index % len(readings)], places, unused)


def _payload(module: Module, instance: str, width: int) -> Nets | None:
    """The nets that leave a part. Without a name of their own they are ports with numbers, in their order.

    Other nets than the right ones make a proof fail, they cannot make it pass.
    """
    if f"{instance}.o__payload" in module.nets:
        return module.nets[f"{instance}.o__payload"]
    numbered = re.compile(rf"{re.escape(instance)}\.port_(\d+)$")
    found = sorted((int(m[1]), nets) for name, nets in module.nets.items() if (m := numbered.match(name)))
    bits = tuple(net for _, nets in found for net in nets)
    return bits if len(bits) == width else None


def _nodes(
    design: Design,
    module: Module,
    at: tuple[str, str],
    part: Any,
    places: Places,
    done: Borders,
    known: Container[str],
) -> dict[str, Border]:
    """The borders of the layers of a wired run; at: its instance and the one that feeds it."""
    before = at[1]
    first, move = module.nets.get(f"{before}.o__valid"), module.nets.get(f"{before}.o__ready")
    if move is None or first is None:
        return {}
    valids = [first, *(module.nets.get(f"{at[0]}.valid{k}", ()) for k in range(part.stages.count - 1))]
    stages = [Beats(valid, move) for valid in valids]
    done.beats += stages
    nodes = _Nodes(module, at, part)
    nets = {n: own for n in nodes.named if (own := nodes.found(n)) is not None}
    found = {}
    for op in design.graph.ops:
        numbers = part.circuit.layers.get(identifier(op.name))
        if numbers is None or op.name not in known:
            continue
        lanes = [
            [(stages[nets[n][0]], nets[n][1]) for n, _ in number.terms if n in nets] for number in numbers
        ]
        live = part.stages.of
        dead = {n for n in nodes.named if n not in live and n not in nets}
        unused = frozenset(k for k, number in enumerate(numbers) if any(n in dead for n, _ in number.terms))
        readings = [_reading(part, number) for number in numbers]
        size = design.graph.values[op.name].size
        found[op.name] = Border(op.name, size, lanes, _cyclic(readings), places, unused)
    return found


def _cyclic(readings: list[Reading]) -> Callable[[int], Reading]:
    return lambda index: readings[index % len(readings)]


def _reading(part: Any, number: Any) -> Reading:
    nodes = [(factor, part.circuit.nodes[n]) for n, factor in number.terms]
    return Reading(tuple((factor, node.width, node.signed) for factor, node in nodes), number.constant)


class _Nodes:
    """The nets of a run's nodes, as far as the RTL has them: nodes that are only wires have no names."""

    def __init__(self, module: Module, at: tuple[str, str], part: Any) -> None:
        self.module, self.instance, self.part = module, at[0], part
        self.payload = _payload(module, at[1], len(part.i.payload)) or ()
        self.names: dict[int, list[str]] = {}
        for name, n in part.names.items():
            self.names.setdefault(n, []).append(name)
        self.named = set(self.names)

    def found(self, n: int) -> tuple[int, Nets] | None:
        """The stage and the nets of a node: those of its registers where only these are there."""
        stage = self.stage(n)
        for later in range(self.part.stages.count - stage):
            if (own := self.nets(n, later)) is not None:
                return stage + later, own
        return None

    def nets(self, n: int, later: int = 0) -> Nets | None:
        """Of a node, `later` stages after its own; None where there are none."""
        node = self.part.circuit.nodes[n]
        if node.kind == "const":
            return constant(node.lo, node.width)
        if n not in self.part.stages.of:  # nothing reads it as a whole
            return None if later else self._wires(n)
        for name in [*self.names.get(n, ()), f"n{n}"]:
            own = self.module.nets.get(
                f"{self.instance}.{name}_after{later}" if later else f"{self.instance}.{name}"
            )
            if own and len(own) >= node.width:
                return own[: node.width]  # the wire in Verilog can be wider
        return None if later else self._wires(n)

    def stage(self, n: int) -> int:
        """The stage of a node; of one that is only wires the last one of what it is made of."""
        args = self.part.circuit.nodes[n].args
        return self.part.stages.of.get(n, max(map(self.stage, args), default=0))

    def _wires(self, n: int) -> Nets | None:
        """Of a node that is made of the bits of others."""
        node = self.part.circuit.nodes[n]
        if node.kind == "input":
            return self.payload[node.data[0] : node.data[0] + node.width] or None
        if node.kind not in ("bit", "word"):
            return None
        found = [self.nets(a, self.stage(n) - self.stage(a)) for a in node.args]
        words = [word for word in found if word is not None]
        if len(words) < len(found):
            return None
        if node.kind == "bit":
            return words[0][node.data[0] : node.data[0] + 1]
        return tuple(net for word in words for net in word[:1])
