"""The loader: bytes that fill memories which the bitstream cannot fill, checked by their CRC."""

from collections.abc import Sequence

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .crc import after_byte
from .single_port import FillBus

__all__ = ["Loader"]


class Loader(wiring.Component):
    """Fills the columns of a bus in turn from the stream i: column k has `depths[k]` words, each word two
    bytes, the low one first. It takes a byte a cycle, and none after the last.

    crc      CRC-32 (zlib's) that these bytes have: a network only starts on its own weights
    loaded   all bytes came and were right; failed: they came and were not
    bus      to the memories
    """

    def __init__(self, depths: Sequence[int], crc: int) -> None:
        self.depths, self.crc = tuple(depths), crc
        self.bus = FillBus(max(depths), len(depths))
        super().__init__({"i": In(stream.Signature(unsigned(8))), "loaded": Out(1), "failed": Out(1)})

    @property
    def bytes(self) -> int:
        return 2 * sum(self.depths)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bus, count = self.bus, len(self.depths)
        crc, high, strobe, done = Signal(32, init=-1), Signal(), Signal(), Signal()
        column = Signal(count, init=1)  # one-hot
        take, end, finished = Signal(), Signal(), Signal()
        ends = [
            (bus.address == depth - 1) & Cat(column[k] for k in range(count) if self.depths[k] == depth).any()
            for depth in sorted(set(self.depths))
        ]
        m.d.comb += [
            end.eq(Cat(*ends).any()),
            finished.eq(strobe & end & column[-1]),
            self.i.ready.eq(~done & ~finished),
            take.eq(self.i.valid & self.i.ready),
            bus.write.eq(Mux(strobe, column, 0)),
            bus.filling.eq(~self.loaded),
        ]
        m.d.sync += strobe.eq(take & high)
        with m.If(take):
            m.d.sync += [high.eq(~high), crc.eq(after_byte(crc, self.i.payload))]
            with m.If(high):
                m.d.sync += bus.data[8:].eq(self.i.payload)
            with m.Else():
                m.d.sync += bus.data[:8].eq(self.i.payload)
        with m.If(strobe):
            m.d.sync += bus.address.eq(Mux(end, 0, bus.address + 1))
            with m.If(end):
                m.d.sync += column.eq(column << 1)
        with m.If(finished):
            right = crc == self.crc ^ 0xFFFFFFFF
            m.d.sync += [done.eq(1), self.loaded.eq(right), self.failed.eq(~right)]
        return m
