"""The core behind the interfaces that other people's designs have: AXI4-Stream and Wishbone."""

from __future__ import annotations

from amaranth import ClockDomain, Module, Signal
from amaranth.back import rtlil as backend
from amaranth.lib import wiring

from edgeternary.hdl.serial import wire_bits
from edgeternary.hdl.top import Design
from edgeternary_hw import Axis, Gather, Unpack, Wishbone


def axis(design: Design) -> Axis:
    """A design under the names of AXI4-Stream."""
    return Axis(design.top, design.o_beats, design.stateful)


def wishbone(design: Design, depth: int = 64) -> Wishbone:
    """A design whose output are bytes, as a slave with FIFOs of `depth` words."""
    answer, i, o = design.answer, design.graph.input, design.graph.output_value
    assert answer, "the output of a design on a bus leaves as bytes"
    unpack = Unpack(wire_bits(design.i_element), design.i_element.width, design.i_lanes, i.size)
    gather = Gather(answer.count, answer.size, answer.index_bytes, signed=o.type.signed)
    return Wishbone(design.top, unpack, gather, depth)


def wrapped_rtlil(part: wiring.Component, name: str, clock: str, reset: str, *, low: bool = False) -> str:
    """RTLIL of a part as module `name`, whose clock and synchronous reset bear the names given.

    low  the reset is active low
    """
    m = Module()
    m.domains.sync = domain = ClockDomain()
    domain.clk = clk = Signal(name=clock)
    rst = Signal(name=reset)
    m.d.comb += domain.rst.eq(~rst if low else rst)
    m.submodules.wrapper = part
    ports = [clk, rst, *(getattr(part, member) for member in part.signature.members)]
    text: str = backend.convert(m, name=name, ports=ports, emit_src=False)
    return text
