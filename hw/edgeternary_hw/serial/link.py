"""A core on a serial port: what travels, and what each message means, is in docs/protocol.md."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..stage import share
from .cobs import CobsDecoder, CobsEncoder
from .reply import Reply
from .request import SHORTEST, Request
from .uart import UartReceiver, UartTransmitter, bit_time

__all__ = ["Link"]

ROOM = 32  # bytes that an echo may have at least


class Link(wiring.Component):
    """UART, COBS, CRC-32 and messages. A frame lies in a memory until its CRC was found right, so that the
    core never sees a damaged one, and may be slower than the wire.

    clock_hz, baud   of the serial port; see edgeternary_hw.serial.uart
    inputs, answers  bytes of a frame of the core, and of its answer
    hello            the body of the reply to hello, which lies in the memory after the frame
    class_bytes      of the end of an answer are the class; without, `shown` are the low bits of its last byte

    can_fail         there are `starting`: requests wait until the core is ready, and `failed`: it cannot
                     answer, a run is refused

    feed, answer, reset  to the core and from it; reset is 1 for one cycle
    shown            low byte of the class of the last answer
    """

    def __init__(
        self,
        clock_hz: int,
        baud: int,
        inputs: int,
        answers: int,
        hello: bytes,
        class_bytes: int = 0,
        can_fail: bool = False,
    ) -> None:
        self.clock_hz, self.baud, self.can_fail = clock_hz, baud, can_fail
        bit_time(clock_hz, baud)
        self.inputs, self.answers, self.hello = inputs, answers, hello
        self.class_at = max(class_bytes, 1)  # byte of the answer, from its end, that is shown
        byte = stream.Signature(unsigned(8))
        super().__init__(
            {"rx": In(1, init=1), "tx": Out(1, init=1), "shown": Out(8), "reset": Out(1),
             "feed": Out(byte), "answer": In(byte),
             **({"starting": In(1), "failed": In(1)} if can_fail else {})}
        )  # fmt: skip

    def elaborate(self, platform: object) -> Module:
        m = Module()
        room = max(self.inputs, ROOM)
        text = SHORTEST + room + 1
        m.submodules.receiver = receiver = UartReceiver(self.clock_hz, self.baud)
        m.submodules.decoder = decoder = CobsDecoder()
        m.submodules.request = request = Request(SHORTEST + room, text + len(self.hello))
        m.submodules.reply = reply = Reply(
            self.inputs, self.answers, room, text, len(self.hello),
            *((self.starting, self.failed) if self.can_fail else ()),
        )  # fmt: skip
        m.submodules.encoder = encoder = CobsEncoder()
        m.submodules.transmitter = transmitter = UartTransmitter(self.clock_hz, self.baud)
        share(receiver.o, decoder)
        share(decoder.o, request)
        share(request.o, reply)
        share(reply.o, encoder)
        share(encoder.o, transmitter)
        m.submodules.memory = memory = Memory(
            shape=unsigned(8), depth=text + len(self.hello), init=[*bytes(text), *self.hello]
        )
        write, read = memory.write_port(), memory.read_port()
        left = Signal(range(self.answers + 1), init=self.answers)
        moved = reply.answer.valid & reply.answer.ready
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            write.addr.eq(request.address),
            write.data.eq(request.data),
            write.en.eq(request.write),
            request.reading.eq(reply.reading),
            request.read_address.eq(reply.address),
            read.addr.eq(reply.address),
            read.en.eq(reply.fetch),
            reply.data.eq(read.data),
            self.reset.eq(reply.reset),
            self.feed.payload.eq(reply.feed.payload),
            self.feed.valid.eq(reply.feed.valid),
            reply.feed.ready.eq(self.feed.ready),
            reply.answer.payload.eq(self.answer.payload),
            reply.answer.valid.eq(self.answer.valid),
            self.answer.ready.eq(reply.answer.ready),
        ]
        with m.If(moved):
            m.d.sync += left.eq(left - 1)
            with m.If(left == self.class_at):
                m.d.sync += self.shown.eq(self.answer.payload)
            with m.If(left == 1):
                m.d.sync += left.eq(self.answers)
        return m
