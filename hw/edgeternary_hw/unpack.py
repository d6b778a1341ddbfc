"""Bytes, as a host sends them, to the beats that a core takes."""

from typing import Any

from amaranth import Module, Signal, unsigned
from amaranth.lib import stream, wiring

from .fill import Fill
from .stage import Streams, counter, share
from .width import Narrow, Widen

__all__ = ["Unpack", "feed"]


def feed(m: Module, source: Any, core: Any) -> None:
    """Connects a stream of beats to a core's input, whose bit above them, where there is one, stays 0."""
    m.d.comb += [
        core.i.payload.eq(source.payload),
        core.i.valid.eq(source.valid),
        source.ready.eq(core.i.ready),
    ]


class Unpack(Streams):
    """Frames of `count` elements of `width` bits, `lanes` a beat; what is missing in the last one is 0.

    wire  bits of an element in the byte stream: 1, 2, 4, 8 or 16, the first element in the low bits, the low
          byte first; those beyond `width` are ignored, and so is what fills the last byte of a frame
    """

    def __init__(self, wire: int, width: int, lanes: int, count: int) -> None:
        if wire not in (1, 2, 4, 8, 16) or width > wire:
            raise ValueError(f"no way from {wire} bits to {lanes} of {width} bits, {count} a frame")
        self.wire, self.width, self.lanes, self.count = wire, width, lanes, count
        super().__init__(i=8, o=width * lanes)

    @property
    def frame_bytes(self) -> int:
        return -(-self.count * self.wire // 8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        source: Any = wiring.flipped(self.i)
        if self.wire != 8:
            m.submodules.elements = part = Narrow(self.wire, 8 // self.wire) if self.wire < 8 else Widen(8, 2)
            wiring.connect(m, source, part.i)
            source = part.o
        elements = stream.Signature(unsigned(self.width)).create()
        sent = self.frame_bytes * 8 // self.wire  # elements, with those that only fill the last byte
        at, _ = counter(m, sent, source.valid & source.ready)
        real = Signal()
        m.d.comb += [
            real.eq(1 if sent == self.count else at < self.count),
            elements.payload.eq(source.payload),
            elements.valid.eq(source.valid & real),
            source.ready.eq(elements.ready | ~real),
        ]
        if self.count % self.lanes:
            whole = -(-self.count // self.lanes) * self.lanes
            m.submodules.fill = fill = Fill(self.width, 1, self.count, whole, 0)
            share(elements, fill)
            elements = fill.o
        if self.lanes > 1:
            m.submodules.beats = beats = Widen(self.width, self.lanes)
            share(elements, beats)
            elements = beats.o
        wiring.connect(m, elements, wiring.flipped(self.o))
        return m
