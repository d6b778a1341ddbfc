"""The design while it is being put together: parts, streams between them, names."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.fold import Folding
from edgeternary.ir import Graph, IntArray, Value
from edgeternary.ir.names import identifier
from edgeternary.passes.affine import Affine
from edgeternary_hw import Element, Fifo, Fork, Narrow, Recode, Skid, Widen
from edgeternary_hw.stage import share

Mask = NDArray[np.bool_]  # over channels


@dataclass(frozen=True)
class Wire:
    """The stream of a value: output port of a part, `lanes` channels of `element` a beat.

    With `affine` the stream carries the counts of a matrix, not yet the value itself.
    shape, real  of a tap whose value was padded: that of the original, and which channels are its own
    """

    port: Any
    element: Element
    lanes: int
    value: Value
    affine: Affine | None = None
    shape: tuple[int, ...] = ()
    real: Mask | None = None

    @property
    def beats(self) -> int:
        """Beats of a frame; of an input that hdl.passes.pad fills up, the last one need not be full."""
        return -(-self.value.size // self.lanes)

    def numbers(self, carried: IntArray) -> IntArray:
        """The value's numbers (frames, *shape) from those that the stream carries."""
        found = carried
        if self.affine:
            found = carried * np.int32(self.affine.gain) + self.affine.offset.astype(np.int32)
        if self.real is None:
            return found
        lead = found.shape[: found.ndim - len(self.value.shape)]
        return found[..., self.real].reshape(*lead, *self.shape)


class Builder:
    """Collects the parts of a design.

    parts  (instance name, component) in stream order
    edges  (output port, component, name of its input port)
    layers  by instance name, the layer that a part belongs to
    busy   by instance name, the cycles a frame that a part works when it waits for nobody
    slowest  cycles a frame of the slowest matrix
    """

    def __init__(self, graph: Graph, folding: Folding, slowest: int) -> None:
        self.graph, self.folding, self.slowest = graph, folding, slowest
        self.parts: list[tuple[str, Any]] = []
        self.busy: dict[str, int] = {}
        self.layers: dict[str, str] = {}
        self.edges: list[tuple[Any, Any, str]] = []
        self._taken: set[str] = set()

    def part(self, component: Any, name: str, role: str = "", busy: int = 0) -> Any:
        """Adds a part named after a layer (and its role there), which works `busy` cycles a frame."""
        unique = identifier(f"{name} {role}" if role else name, self._taken)
        self._taken.add(unique)
        for part in (component, getattr(component, "window", None), getattr(component, "reduce", None)):
            if part is not None:
                part._MustUse__silence = True  # designs that are only estimated are never elaborated
        self.parts.append((unique, component))
        self.busy[unique] = busy
        self.layers[unique] = name
        return component

    def through(self, component: Any, wire: Wire, name: str, role: str = "", busy: int = 0) -> Any:
        """Adds a part with ports i and o that reads a stream; returns its output port.

        busy  cycles a frame; without it the beats of the stream
        """
        self.connect(wire.port, self.part(component, name, role, busy or wire.beats))
        return component.o

    def attach(self, wires: list[Wire], component: Any) -> None:
        """Connects streams to the numbered inputs i0, i1, ... of a part."""
        for k, wire in enumerate(wires):
            self.connect(wire.port, component, f"i{k}")

    def connect(self, port: Any, component: Any, name: str = "i") -> None:
        """An output port of a part as an input of another."""
        share(port, component, name)
        self.edges.append((port, component, name))

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
            beats = wire.value.size // common
            wire = replace(wire, port=self.through(part, wire, name, "narrow", beats), lanes=common)
        if lanes != common:
            part = Widen(bits, lanes // common)
            wire = replace(wire, port=self.through(part, wire, name, "widen"), lanes=lanes)
        return wire

    def output(self, component: Any, op_name: str, lanes: int, element: Element | None = None) -> Wire:
        """The stream that a layer's last part sends."""
        value = self.graph.values[op_name]
        return Wire(component.o, element or stream_element(value), lanes, value)

    def fork(self, wire: Wire, capacities: list[int], name: str) -> list[Wire]:
        """The stream for several readers, each after a FIFO of `capacities[k]` beats (0: none), see
        hdl.branches."""
        if len(capacities) == 1:
            return [wire]
        bits = wire.lanes * wire.element.width
        if self.folding.kept:  # its ready comes from all readers, and goes through the layer before
            wire = self.buffered(wire, name, "buffer")
        split = Fork(bits, len(capacities))
        self.connect(wire.port, self.part(split, name, "fork"))
        wires = []
        for k, capacity in enumerate(capacities):
            branch = replace(wire, port=getattr(split, f"o{k}"))
            if capacity:
                branch = replace(branch, port=self.through(Fifo(bits, capacity), branch, name, f"fifo{k}"))
                if self.folding.kept:  # long counters wait for its ready
                    branch = self.buffered(branch, name, f"buffer{k}")
            wires.append(branch)
        return wires

    def buffered(self, wire: Wire, name: str, role: str) -> Wire:
        """The stream after two registers, which cut the path of ready."""
        return replace(wire, port=self.through(Skid(wire.lanes * wire.element.width), wire, name, role))
