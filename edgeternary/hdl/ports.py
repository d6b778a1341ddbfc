"""Where a network begins and ends: its streams in and out, and the parts at them."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

from amaranth import Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import port_element, stream_element
from edgeternary.hdl.entering import bits_read
from edgeternary.hdl.folding import input_lanes
from edgeternary.ir import Value
from edgeternary.ir.names import identifier
from edgeternary_hw import Element, Hold, Skid


class Top(wiring.Component):
    """The whole network: raw codes come in on i, answers leave on o, as wide as their interval.

    Of several inputs (outputs) each has a stream of its own, i_<name> (o_<name>).
    inputs, outputs  bits of a beat, by the name of the stream
    """

    def __init__(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> None:
        self.parts: list[tuple[str, Any]] = []
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        super().__init__(
            {name: In(stream.Signature(unsigned(bits))) for name, bits in inputs.items()}
            | {name: Out(stream.Signature(unsigned(bits))) for name, bits in outputs.items()}
        )

    def with_parts(self, parts: list[tuple[str, Any]]) -> Self:
        """A copy on the same ports with other parts."""
        top = copy(self)
        top.parts = parts
        return top

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, part in self.parts:
            m.submodules[name] = part
        return m


@dataclass(frozen=True)
class Port:
    """A stream of the top: a beat carries `lanes` channels of `element`, a frame has `beats` of them.

    Of a padded design the last beat of a frame in need not be full.
    """

    name: str
    value: Value
    element: Element
    lanes: int
    beats: int


class Ends:
    """The first and the last parts of a design while it is being built.

    ins, outs  each stream with the part that takes it in, or sends it
    """

    def __init__(self, b: Builder) -> None:
        self.b = b
        self.ins: list[tuple[Port, Any]] = []
        self.outs: list[tuple[Port, Any]] = []
        self._taken: set[str] = set()

    def enter(self, marked: bool) -> list[Wire]:
        """The streams of the inputs; `marked`: the first has a bit more, see Design."""
        wires: list[Wire] = []
        for x in self.b.graph.inputs:
            element, lanes = port_element(x), input_lanes(self.b.graph, self.b.folding, x)
            bits = lanes * element.width + (marked and not wires)
            read = bits_read(self.b.graph, self.b.folding, x, element, lanes) + (marked and not wires)
            whole = self.b.folding.wired and lanes == x.size  # a second register for each bit is much
            part = (Hold if whole else Skid)(bits, read=read)
            wire = Wire(part.o, element, lanes, x)
            self.b.part(part, x.name, "input", busy=wire.beats)
            name = "i" if len(self.b.graph.inputs) == 1 else self._name("i", x)
            self.ins.append((Port(name, x, element, lanes, wire.beats), part))
            wires.append(wire)
        return wires

    def streams(self, wires: list[Wire]) -> None:
        """The outputs leave as wide as their intervals."""
        values = self.b.graph.output_values
        wires = [self.b.recode(w, stream_element(v), v.name) for w, v in zip(wires, values, strict=True)]
        for wire, value in zip(wires, values, strict=True):
            part = Skid(wire.lanes * wire.element.width)
            self.b.through(part, wire, value.name, "output")
            name = "o" if len(values) == 1 else self._name("o", value)
            self.leave(part, Port(name, value, wire.element, wire.lanes, value.size // wire.lanes))

    def leave(self, part: Any, port: Port) -> None:
        """A stream leaves from a part."""
        self.outs.append((port, part))

    def top(self) -> Top:
        """The network's own component, whose streams are those of the parts."""
        top = Top(
            {port.name: len(part.i.payload) for port, part in self.ins},
            {port.name: len(part.o.payload) for port, part in self.outs},
        )
        top._MustUse__silence = True  # it may be wanted for its figures alone
        for port, part in self.ins:
            part.i = getattr(top, port.name)
        for port, part in self.outs:
            part.o = getattr(top, port.name)
        return top

    def _name(self, side: str, value: Value) -> str:
        """i_<name> or o_<name>, with a number where that is another stream's."""
        found = identifier(f"{side} {value.name}", self._taken)
        self._taken.add(found)
        return found
