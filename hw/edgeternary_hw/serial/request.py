"""The receiving half of the link: frames from the wire become requests, once their CRC was found right."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..crc import Crc32
from .cobs import FRAMED

__all__ = ["HEAD", "SHORTEST", "Request", "request_layout"]

HEAD = 2  # bytes before the body: version and kind, tag
SHORTEST = HEAD + 4  # and the CRC after it


def request_layout(most: int) -> data.StructLayout:
    """A request of up to `most` bytes; `length` counts all of them, `most` + 1 stands for more.

    `damaged` is one whose CRC is wrong, or that is cut short.
    """
    return data.StructLayout(
        {"kind": unsigned(8), "tag": unsigned(8), "length": unsigned((most + 1).bit_length()), "damaged": 1}
    )


class Request(wiring.Component):
    """Writes frames of up to `most` bytes into a memory of `depth`, from address 0 on; announces them on o.

    address, data, write   the port of the memory
    reading, read_address  a request in the memory that is still being read: a frame that would overtake it
                           is dropped, and so is one that comes while o waits

    A damaged frame does not wait: if nobody takes the news of it, it is gone.
    """

    def __init__(self, most: int, depth: int) -> None:
        self.most = most
        layout = request_layout(most)
        bits = layout["length"].width
        super().__init__(
            {
                "i": In(stream.Signature(FRAMED)),
                "o": Out(stream.Signature(layout)),
                "address": Out(bits),
                "data": Out(8),
                "write": Out(1),
                "reading": In(1),
                "read_address": In(range(depth + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32()
        at = Signal(range(self.most + 2))
        dropped, waiting = Signal(), Signal()  # of this frame; a good request is on o
        byte, end = self.i.payload.byte, self.i.payload.end
        take = Signal()
        overtakes = self.reading & (at == self.read_address)
        m.d.comb += [
            self.i.ready.eq(crc.i.ready),
            take.eq(self.i.valid & self.i.ready),
            crc.i.valid.eq(self.i.valid & ~end),
            crc.i.payload.eq(byte),
            crc.clear.eq(take & end),
            self.address.eq(at),
            self.data.eq(byte),
            self.write.eq(take & ~end & ~waiting & ~dropped & ~overtakes & (at != self.most + 1)),
        ]
        with m.If(self.write):
            m.d.sync += at.eq(at + 1)
            with m.If(at == 0):
                m.d.sync += self.o.payload.kind.eq(byte)
            with m.If(at == 1):
                m.d.sync += self.o.payload.tag.eq(byte)
        with m.If(take):
            m.d.sync += dropped.eq(~end & (dropped | waiting | overtakes))
        with m.If(take & end & ~waiting):
            m.d.sync += at.eq(0)
            with m.If(~dropped):
                good = crc.right & byte[0] & (at >= SHORTEST)
                m.d.sync += [self.o.valid.eq(1), waiting.eq(good), self.o.payload.damaged.eq(~good)]
                m.d.sync += self.o.payload.length.eq(at)
        with m.If(self.o.valid & (self.o.ready | ~waiting)):
            m.d.sync += [self.o.valid.eq(0), waiting.eq(0)]
        return m
