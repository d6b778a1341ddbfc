"""A core whose ports end inside an FPGA: between shift registers it can be placed on a part of few pins."""

from collections.abc import Sequence
from pathlib import Path

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.emit import component_rtlil
from edgeternary.hdl.entering import places_read
from edgeternary.hdl.tools.synthesis import synthesise
from edgeternary.hdl.top import Design
from edgeternary.ir.names import identifier

NAME = "inside"  # of the core's instance, see hdl.tools.place.instance
PORTS = {"clk": 1, "rst": 1, "shift__i": 1, "shift__o": 1}


class Inside(wiring.Component):
    """A core, each port bit of which begins or ends in a register, as in a design of registered parts.

    shift__i  shifts through the registers of all its inputs, a bit a cycle; of the payload of its stream `i`
              through those that are in `places`, and the others are 0
    shift__o  depends on the registers of all its outputs, so that nothing is optimised away
    """

    def __init__(self, core: wiring.Component, places: Sequence[int] | None = None) -> None:
        self.core, self.places = core, places
        core._MustUse__silence = True  # it may be built for its text alone
        super().__init__({"shift__i": In(1), "shift__o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules[NAME] = self.core
        ports = [(path, port.flow, value) for path, port, value in self.core.signature.flatten(self.core)]
        out = Cat(value for _, flow, value in ports if flow is Out)
        into = Cat(self._read(path, value) for path, flow, value in ports if flow is In)
        fed, taken = Signal(len(into), name="fed"), Signal(len(out), name="taken")
        leaving = Signal(len(out))
        m.d.comb += [into.eq(fed), self.shift__o.eq(leaving[-1])]
        m.d.sync += [
            fed.eq(Cat(self.shift__i, fed[:-1])),
            taken.eq(out),
            leaving.eq(taken ^ Cat(0, leaving[:-1])),
        ]
        return m

    def _read(self, path: tuple[str | int, ...], value: Value) -> Value:
        kept = self.places if path == ("i", "payload") else None
        return value if kept is None else Cat(value[place] for place in kept)


def synthesised(design: Design, device: str, tool: str) -> Path:
    """The folder of hdl.tools.synthesis.synthesise with the netlist of a design between shift registers."""
    wired = design.folding.wired and design.i_lanes == design.graph.input.size
    places = places_read(design.graph, design.folding) if wired else None
    text = component_rtlil(Inside(design.top, places), identifier(design.graph.name))
    return synthesise(text, identifier(design.graph.name), device, tool)[1]
