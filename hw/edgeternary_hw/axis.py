"""The streams of a core under the names of AXI4-Stream."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .stage import counter

__all__ = ["Axis"]


def whole_bytes(bits: int) -> int:
    """Bits of TDATA for a payload: a multiple of 8."""
    return -(-bits // 8) * 8


class Axis(wiring.Component):
    """A core with ports i and o as s_axis_* and m_axis_*; TLAST with the last of `beats` beats of an answer.

    TDATA holds the payload in its low bits; those above it are ignored, and sent as 0. The streams are the
    same but for the names: a payload waits unchanged, and no TREADY depends on the TVALID beside it.

    stateful  the highest bit of the core's input comes from TUSER: 1 with the first beat of a step forgets
              all states before it
    """

    def __init__(self, core: Any, beats: int, stateful: bool = False) -> None:
        self.core, self.beats, self.stateful = core, beats, stateful
        bits = len(core.i.payload) - stateful
        super().__init__(
            {
                "s_axis_tdata": In(whole_bytes(bits)),
                **({"s_axis_tuser": In(1)} if stateful else {}),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(whole_bytes(len(core.o.payload))),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        _, last = counter(m, self.beats, self.m_axis_tvalid & self.m_axis_tready)
        m.d.comb += [
            core.i.payload.eq(
                Cat(self.s_axis_tdata[: len(core.i.payload) - 1], self.s_axis_tuser)
                if self.stateful
                else self.s_axis_tdata
            ),
            core.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tdata.eq(core.o.payload),
            self.m_axis_tvalid.eq(core.o.valid),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(last),
        ]
        return m
