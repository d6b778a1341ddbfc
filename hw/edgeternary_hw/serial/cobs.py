"""COBS (Cheshire and Baker 1999): frames of bytes without a zero, so that a zero can end them.

A frame is cut after each zero and after 254 bytes without one. A block travels as its length + 1, then its
bytes; its zero, which all blocks but those of 254 bytes and the last one have, is left out.
"""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..stage import ram

__all__ = ["FRAMED", "CobsDecoder", "CobsEncoder"]

# A byte of a frame. With `end` the frame is over, and `byte` no part of it: 1 if it was in order, else 0.
FRAMED = data.StructLayout({"byte": unsigned(8), "end": 1})


class CobsDecoder(wiring.Component):
    """Bytes as they come from the wire, to frames; of nothing between two zeros, nothing comes."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(unsigned(8))), "o": Out(stream.Signature(FRAMED))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(8)  # bytes of the block that are still to come
        inside, zero = Signal(), Signal()  # a frame has begun; a zero follows the block, if another one does
        delimiter = self.i.payload == 0
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += self.o.payload.end.eq(delimiter)
            with m.If(delimiter):
                m.d.sync += [self.o.valid.eq(inside), self.o.payload.byte.eq(left == 0)]
                m.d.sync += [inside.eq(0), zero.eq(0), left.eq(0)]
            with m.Elif(left == 0):
                m.d.sync += [self.o.valid.eq(zero), self.o.payload.byte.eq(0)]
                m.d.sync += [inside.eq(1), zero.eq(self.i.payload != 0xFF), left.eq(self.i.payload - 1)]
            with m.Else():
                m.d.sync += [self.o.valid.eq(1), self.o.payload.byte.eq(self.i.payload), left.eq(left - 1)]
        return m


class CobsEncoder(wiring.Component):
    """Frames to bytes for the wire. A block waits in a memory until its length is known."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(FRAMED)), "o": Out(stream.Signature(unsigned(8)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count, sent = Signal(8, init=1), Signal(8)  # bytes + 1 of the block; of these on their way
        end = Signal()  # the frame ends with the block
        byte, last = self.i.payload.byte, self.i.payload.end
        store, take, step = Signal(), Signal(), Signal()
        (read,) = ram(m, 8, (count, byte, store), [(sent, step)], "block")
        with m.FSM():
            with m.State("FILL"):
                m.d.comb += [self.i.ready.eq(1), take.eq(self.i.valid)]
                m.d.comb += store.eq(take & ~last & (byte != 0))
                with m.If(take):
                    m.d.sync += [end.eq(last), sent.eq(1)]
                with m.If(store):
                    m.d.sync += count.eq(count + 1)
                with m.If(take & (last | (byte == 0) | (count == 254))):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(count)]
                with m.If(self.o.ready):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += step.eq(1)
                m.d.sync += sent.eq(sent + 1)
                with m.If(sent != count):
                    m.next = "BYTE"
                with m.Else():
                    m.d.sync += count.eq(1)
                    m.next = "FILL"
                    with m.If(end):
                        m.next = "END"
            with m.State("BYTE"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(read)]
                with m.If(self.o.ready):
                    m.next = "FETCH"
            with m.State("END"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(0)]
                with m.If(self.o.ready):
                    m.next = "FILL"
        return m
