"""The streams of a core under the names of AXI4-Stream."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .stage import counter

__all__ = ["Axis", "Fields"]


@dataclass(frozen=True)
class Fields:
    """How a beat of `lanes` elements of `width` bits lies in TDATA: each in `room` bits, the first lowest.

    beats   of a frame
    signed  an element is two's complement: TDATA repeats its sign bit
    """

    width: int
    room: int
    lanes: int
    beats: int
    signed: bool = False

    @property
    def bits(self) -> int:
        """Of TDATA: a power of two bytes."""
        return max(8, 1 << (self.lanes * self.room - 1).bit_length())

    def wide(self, payload: Value) -> Value:
        """A core's payload as TDATA; what no element fills is 0."""
        found = []
        for k in range(self.lanes):
            element = payload[k * self.width : (k + 1) * self.width]
            sign = element[-1] if self.signed else Const(0, 1)
            found.append(Cat(element, sign.replicate(self.room - self.width)))
        return Cat(*found)

    def narrow(self, tdata: Value) -> Value:
        """The reverse; bits that belong to no element are ignored."""
        return Cat(*(tdata[k * self.room : k * self.room + self.width] for k in range(self.lanes)))


class Axis(wiring.Component):
    """A core with ports i and o as s_axis_* and m_axis_*: a packet is a frame, or its answer.

    TLAST comes with the last beat of a packet. Where it comes early, the rest of the frame is taken as zeros,
    which takes a cycle a beat; where it does not come, beats are dropped until it does. So every packet has
    one answer, and the packet after a wrong one is right again. `event_tlast_unexpected` and
    `event_tlast_missing` are 1 for a cycle each time. The streams are else as the core's: a payload waits
    unchanged, and no TREADY depends on the TVALID beside it.

    i, o      how beats lie in TDATA
    stateful  the highest bit of the core's input comes from TUSER: 1 with the first beat of a step forgets
              all states before it
    load      the core has a stream `load` of bytes, which comes in on s_load_*, without TLAST
    """

    def __init__(
        self, core: Any, i: Fields, o: Fields, *, stateful: bool = False, load: bool = False
    ) -> None:
        self.core, self.fields, self.stateful, self.load = core, (i, o), stateful, load
        super().__init__(
            {
                "s_axis_tdata": In(i.bits),
                **({"s_axis_tuser": In(1)} if stateful else {}),
                "s_axis_tlast": In(1),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(o.bits),
                "m_axis_tlast": Out(1),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "event_tlast_unexpected": Out(1),
                "event_tlast_missing": Out(1),
                **(
                    {"s_load_tdata": In(8), "s_load_tvalid": In(1), "s_load_tready": Out(1),
                     "load_done": Out(1), "load_failed": Out(1)}
                    if load else {}
                ),
            }
        )  # fmt: skip

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        i, o = self.fields
        accept, filling, dropping = Signal(), Signal(), Signal()
        _, last_in = counter(m, i.beats, accept, "at")
        _, last_out = counter(m, o.beats, self.m_axis_tvalid & self.m_axis_tready, "answer_at")
        data = i.narrow(self.s_axis_tdata)
        whole = Cat(data, self.s_axis_tuser) if self.stateful else data
        m.d.comb += [
            core.i.payload.eq(Mux(filling, 0, whole)),
            core.i.valid.eq((self.s_axis_tvalid | filling) & ~dropping),
            self.s_axis_tready.eq((core.i.ready & ~filling) | dropping),
            accept.eq(core.i.valid & core.i.ready),
            self.m_axis_tdata.eq(o.wide(core.o.payload)),
            self.m_axis_tvalid.eq(core.o.valid),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(last_out),
        ]
        early, late = Signal(), Signal()
        taken = accept & ~filling
        m.d.comb += [
            early.eq(taken & self.s_axis_tlast & ~last_in),
            late.eq(taken & ~self.s_axis_tlast & last_in),
        ]
        m.d.sync += [self.event_tlast_unexpected.eq(early), self.event_tlast_missing.eq(late)]
        with m.If(early):
            m.d.sync += filling.eq(1)
        with m.Elif(filling & accept & last_in):
            m.d.sync += filling.eq(0)
        with m.If(late):
            m.d.sync += dropping.eq(1)
        with m.Elif(dropping & self.s_axis_tvalid & self.s_axis_tlast):
            m.d.sync += dropping.eq(0)
        if self.load:
            m.d.comb += [
                core.load.payload.eq(self.s_load_tdata),
                core.load.valid.eq(self.s_load_tvalid),
                self.s_load_tready.eq(core.load.ready),
                self.load_done.eq(core.load__done),
                self.load_failed.eq(core.load__failed),
            ]
        return m
