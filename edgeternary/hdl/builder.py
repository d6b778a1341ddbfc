"""The design while it is being put together: parts, streams between them, names."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.folding import Folding
from edgeternary.ir import Graph, Value
from edgeternary.ir.names import identifier
from edgeternary_hw import Element, Fifo, Fork, Narrow, Recode, Widen
from edgeternary_hw.stage import share


@dataclass(frozen=True)
class Wire:
    """The stream of a value: output port of a part, `lanes` channels of `element` a beat."""

    port: Any
    element: Element
    lanes: int
    value: Value


class Builder:
    """Collects the parts of a design; `parts` are (instance name, component) in stream order."""

    def __init__(self, graph: Graph, folding: Folding) -> None:
        self.graph, self.folding = graph, folding
        self.parts: list[tuple[str, Any]] = []
        self._taken: set[str] = set()

    def part(self, component: Any, name: str, role: str = "") -> Any:
        """Adds a part named after a layer (and its role there)."""
        unique = identifier(f"{name} {role}" if role else name, self._taken)
        self._taken.add(unique)
        self.parts.append((unique, component))
        return component

    def through(self, component: Any, wire: Wire, name: str, role: str = "") -> Any:
        """Adds a part with ports i and o behind a stream; returns its output port."""
        share(wire.port, self.part(component, name, role))
        return component.o

    def attach(self, wires: list[Wire], component: Any) -> None:
        """Connects streams to the numbered inputs i0, i1, ... of a part."""
        for k, wire in enumerate(wires):
            share(wire.port, component, f"i{k}")

    def recode(self, wire: Wire, element: Element, name: str) -> Wire:
        """The same numbers encoded as `element`."""
        if wire.element == element:
            return wire
        part = Recode(wire.element, element, lanes=wire.lanes)
        return replace(wire, port=self.through(part, wire, name, "recode"), element=element)

    def adapt(self, wire: Wire, lanes: int, name: str) -> Wire:
        """The same stream with `lanes` channels a beat."""
        common = math.gcd(wire.lanes, lanes)
        bits = common * wire.element.width
        if wire.lanes != common:
            part: Any = Narrow(bits, wire.lanes // common)
            wire = replace(wire, port=self.through(part, wire, name, "narrow"), lanes=common)
        if lanes != common:
            part = Widen(bits, lanes // common)
            wire = replace(wire, port=self.through(part, wire, name, "widen"), lanes=lanes)
        return wire

    def output(self, component: Any, op_name: str, lanes: int, element: Element | None = None) -> Wire:
        """The stream that a layer's last part sends."""
        value = self.graph.values[op_name]
        return Wire(component.o, element or stream_element(value), lanes, value)

    def fork(self, wire: Wire, holds: list[bool], name: str) -> list[Wire]:
        """The stream for several readers. `holds[k]`: reader k keeps beats back before it answers.

        A branch gets a FIFO for a whole frame, which is always enough: what any reader needs for its next
        answer lies in the frame that the slowest one is in. The only branch that holds beats back needs none.
        """
        if len(holds) == 1:
            return [wire]
        bits = wire.lanes * wire.element.width
        split = Fork(bits, len(holds))
        share(wire.port, self.part(split, name, "fork"))
        frame = wire.value.size // wire.lanes
        wires = []
        for k, held in enumerate(holds):
            branch = replace(wire, port=getattr(split, f"o{k}"))
            if not held or sum(holds) > 1:
                branch = replace(branch, port=self.through(Fifo(bits, frame), branch, name, f"fifo{k}"))
            wires.append(branch)
        return wires
