"""The core with the interfaces that other people's designs have: AXI4-Stream and Wishbone."""

import itertools
from typing import Any

from amaranth import ClockDomain, ClockSignal, Instance, Module, ResetInserter, ResetSignal, Signal, unsigned
from amaranth.back import rtlil as backend
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.serial import wire_bits
from edgeternary.hdl.top import Design, answer_bytes
from edgeternary.ir.names import identifier
from edgeternary_hw import Answer, Axis, Element, Fields, Narrow, Unpack, Wishbone, Words
from edgeternary_hw.unpack import feed

ROOMS = (1, 2, 4, 8, 16, 32)  # bits that an element takes in TDATA


class Core(wiring.Component):
    """A design with a port `clear`, which resets it, but not the weights that it was loaded with.

    alone  the design itself; else an instance of its module, whose text is in a file of its own
    """

    def __init__(self, design: Design, *, alone: bool = False) -> None:
        self.design, self.alone = design, alone
        loads = {"load": In(stream.Signature(unsigned(8))), "load__done": Out(1), "load__failed": Out(1)}
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(len(design.top.i.payload)))),
                "o": Out(stream.Signature(unsigned(len(design.top.o.payload)))),
                "clear": In(1),
                **(loads if design.weights else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        streams = ("i", "o", "load") if self.design.weights else ("i", "o")
        if not self.alone:
            m.submodules.core = self._instance(streams)
            return m
        top = self.design.top
        m.submodules.core = top if self.design.weights else ResetInserter(self.clear)(top)
        for name in streams:
            here, inside = getattr(self, name), getattr(top, name)
            source, sink = (inside, here) if name == "o" else (here, inside)
            m.d.comb += [
                sink.payload.eq(source.payload), sink.valid.eq(source.valid), source.ready.eq(sink.ready),
            ]  # fmt: skip
        if self.design.weights:
            m.d.comb += [
                top.load__clear.eq(self.clear),
                self.load__done.eq(top.load__done),
                self.load__failed.eq(top.load__failed),
            ]
        return m

    def _instance(self, streams: tuple[str, ...]) -> Instance:
        loads = bool(self.design.weights)
        ports: list[Any] = [("i", "clk", ClockSignal())]
        ports.append(("i", "rst", ResetSignal() if loads else ResetSignal() | self.clear))
        for name in streams:
            port, out = getattr(self, name), name == "o"
            ports += [
                ("o" if out else "i", f"{name}__payload", port.payload),
                ("o" if out else "i", f"{name}__valid", port.valid),
                ("i" if out else "o", f"{name}__ready", port.ready),
            ]
        if loads:
            ports += [
                ("i", "load__clear", self.clear), ("o", "load__done", self.load__done),
                ("o", "load__failed", self.load__failed),
            ]  # fmt: skip
        return Instance(identifier(self.design.graph.name), *ports)


class Bytes(wiring.Component):
    """A core whose answers leave a byte a beat: numbers as bytes, with the index of the largest after those
    of a vector, and bytes that leave several a beat one by one."""

    def __init__(self, core: Core) -> None:
        self.core = core
        design, value = core.design, core.design.graph.output_value
        index = len(value.shape) == 1 and value.size > 1
        self.answer = design.answer or Answer(design.o_element, value.size, answer_bytes(value), index=index)
        members = {**core.signature.members, "o": Out(stream.Signature(unsigned(8)))}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        design, core = self.core.design, self.core
        m.submodules.core = core
        feed(m, self.i, core)
        m.d.comb += core.clear.eq(self.clear)
        parts: list[Any] = [core]
        if design.o_lanes > 1:
            m.submodules.narrow = narrow = ResetInserter(self.clear)(
                Narrow(design.o_element.width, design.o_lanes)
            )
            parts.append(narrow)
        if not design.answer:
            m.submodules.answer = answer = ResetInserter(self.clear)(self.answer)
            parts.append(answer)
        for source, sink in itertools.pairwise(parts):
            wiring.connect(m, source.o, sink.i)
        wiring.connect(m, parts[-1].o, wiring.flipped(self.o))
        if design.weights:
            wiring.connect(m, wiring.flipped(self.load), core.load)
            m.d.comb += [self.load__done.eq(core.load__done), self.load__failed.eq(core.load__failed)]
        return m


def i_fields(design: Design) -> Fields:
    """How the input lies in TDATA."""
    return _fields(design.i_element, design.i_lanes, design.i_beats)


def o_fields(design: Design) -> Fields:
    return _fields(design.o_element, design.o_lanes, design.o_beats)


def _fields(element: Element, lanes: int, beats: int) -> Fields:
    room = next(bits for bits in ROOMS if bits >= element.width)
    return Fields(element.width, room, lanes, beats, signed=element.kind == "signed")


def axis(core: Core) -> Axis:
    """A design under the names of AXI4-Stream."""
    design = core.design
    load = bool(design.weights)
    return Axis(core, i_fields(design), o_fields(design), stateful=design.stateful, load=load)


def wishbone(core: Core, depth: int = 64) -> Wishbone:
    """A design as a slave with FIFOs of `depth` words."""
    design, i, o = core.design, core.design.graph.input, core.design.graph.output_value
    inner: Any = Bytes(core) if not design.answer or design.answer.beat > 1 else core
    answer = design.answer or inner.answer
    index = answer.index_beats * answer.beat  # what its last beat does not need is 0
    unpack = Unpack(wire_bits(design.i_element), design.i_element.width, design.i_lanes, i.size)
    gather = Words(answer.count, answer.size, index, signed=o.type.signed)
    return Wishbone(inner, unpack, gather, depth, len(design.weights))


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
