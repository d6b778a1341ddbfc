"""A core whose ports end inside an FPGA: between shift registers it can be placed on a part of few pins."""

from pathlib import Path

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.emit import component_rtlil
from edgeternary.hdl.tools.synthesis import synthesise
from edgeternary.hdl.top import Design
from edgeternary.ir.names import identifier

NAME = "inside"  # of the core's instance, see hdl.tools.place.instance
PORTS = {"clk": 1, "rst": 1, "shift__i": 1, "shift__o": 1}


class Inside(wiring.Component):
    """A core, each port bit of which begins or ends in a register, as in a design of registered parts.

    shift__i  shifts through the registers of all its inputs, a bit a cycle
    shift__o  depends on the registers of all its outputs, so that nothing is optimised away
    """

    def __init__(self, core: wiring.Component) -> None:
        self.core = core
        core._MustUse__silence = True  # it may be built for its text alone
        super().__init__({"shift__i": In(1), "shift__o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules[NAME] = self.core
        ports = [(member.flow, value) for _, member, value in self.core.signature.flatten(self.core)]
        into, out = (Cat(value for flow, value in ports if flow is side) for side in (In, Out))
        fed, taken, leaving = Signal(len(into)), Signal(len(out)), Signal(len(out))
        m.d.comb += [into.eq(fed), self.shift__o.eq(leaving[-1])]
        m.d.sync += [
            fed.eq(Cat(self.shift__i, fed[:-1])),
            taken.eq(out),
            leaving.eq(taken ^ Cat(0, leaving[:-1])),
        ]
        return m


def synthesised(design: Design, device: str, tool: str) -> Path:
    """The folder of hdl.tools.synthesis.synthesise with the netlist of a design between shift registers."""
    text = component_rtlil(Inside(design.top), identifier(design.graph.name))
    return synthesise(text, identifier(design.graph.name), device, tool)[1]
