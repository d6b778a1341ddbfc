"""The sending half of the link: takes a request, feeds the core if it is one to run, and frames the reply."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..crc import Crc32
from .cobs import FRAMED
from .request import HEAD, request_layout

__all__ = ["Kind", "Reply", "Status"]

VERSION = 1
REPLY = 0x80  # bit of the first byte
TAIL = 4


class Kind:
    """Of messages, in the low four bits of the first byte; the version is in the three bits above them."""

    REFUSED, HELLO, RUN, RESET, CYCLES, ECHO = range(6)


class Status:
    """Third byte of a reply."""

    OK, DAMAGED, LENGTH, UNKNOWN, FAILED = range(5)


class Reply(wiring.Component):
    """Answers one request after the other.

    inputs, answers  bytes of a frame of the core and of its answer
    room             bytes that a body may have
    text, size       address and bytes of the reply to hello
    starting, failed  the core cannot answer yet: requests wait; it never will: a run is refused
    fetch, address, data   the read port of the memory: data one cycle after fetch
    feed, answer     to the core and from it
    reset            of the core, for a cycle
    """

    def __init__(
        self,
        inputs: int,
        answers: int,
        room: int,
        text: int,
        size: int,
        starting: Value | None = None,
        failed: Value | None = None,
    ) -> None:
        self.starting, self.failed = starting, failed
        self.inputs, self.answers, self.text, self.size = inputs, answers, text, size
        self.most = HEAD + room + TAIL
        byte = unsigned(8)
        super().__init__(
            {
                "i": In(stream.Signature(request_layout(self.most))),
                "o": Out(stream.Signature(FRAMED)),
                "fetch": Out(1),
                "reading": Out(1),
                "address": Out(range(text + size + 1)),
                "data": In(8),
                "feed": Out(stream.Signature(byte)),
                "answer": In(stream.Signature(byte)),
                "reset": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32()
        kind, tag, status = Signal(4), Signal(8), Signal(2 if self.failed is None else 3)
        left = Signal(range(max(self.answers, TAIL) + 1))  # bytes of an answer, cycle count or CRC to come
        byte, send, sent, counted, copied = Signal(8), Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.o.payload.byte.eq(byte),
            self.o.valid.eq(send & crc.i.ready),
            sent.eq(self.o.valid & self.o.ready),
            crc.i.valid.eq(sent),
            crc.i.payload.eq(byte),
        ]
        with m.If(sent & counted):
            m.d.sync += left.eq(left - 1)
        running = (kind == Kind.RUN) & (status == Status.OK)
        loaded = self._read(m, running, sent & copied)
        cycles = Signal(32)  # of the last run; those in which its answer waits for the wire do not count
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.comb += [self.i.ready.eq(1 if self.starting is None else ~self.starting), crc.clear.eq(1)]
                with m.If(self.i.valid if self.starting is None else self.i.valid & ~self.starting):
                    self._accept(m, kind, tag, status, left, cycles)
                    m.next = "KIND"
            for state, value, after in (
                ("KIND", REPLY | VERSION << 4 | kind, "TAG"),
                ("TAG", tag, "STATUS"),
                ("STATUS", status, "BODY"),
            ):
                with m.State(state):
                    m.d.comb += [send.eq(1), byte.eq(value)]
                    with m.If(sent):
                        m.next = after
            with m.State("BODY"):
                with m.If(running):
                    m.d.comb += [byte.eq(self.answer.payload), send.eq(self.answer.valid), counted.eq(1)]
                    m.d.comb += self.answer.ready.eq(sent)
                with m.Elif(left != 0):
                    m.d.comb += [byte.eq(cycles.word_select((4 - left)[:2], 8)), send.eq(1), counted.eq(1)]
                with m.Else():
                    m.d.comb += [byte.eq(self.data), send.eq(loaded), copied.eq(1)]
                with m.If((left == 0) & ~self.reading & ~loaded):
                    m.d.comb += send.eq(0)
                    with m.If(crc.i.ready):
                        m.d.sync += left.eq(TAIL)
                        m.next = "CRC"
            with m.State("CRC"):
                m.d.comb += [crc.flush.eq(1), counted.eq(1), send.eq(1), byte.eq(crc.byte)]
                with m.If(sent & (left == 1)):
                    m.next = "END"
            with m.State("END"):
                m.d.comb += [send.eq(1), self.o.payload.end.eq(1), byte.eq(1)]
                with m.If(sent):
                    m.d.sync += kind.eq(Kind.REFUSED)
                    m.next = "IDLE"
        waits = self.answer.valid & ~self.answer.ready
        with m.If(running & (left != 0) & ~waits & ~fsm.ongoing("CRC")):
            m.d.sync += cycles.eq(cycles + 1)
        return m

    def _accept(
        self, m: Module, kind: Signal, tag: Signal, status: Signal, left: Signal, cycles: Signal
    ) -> None:
        """Takes the request on i: what is answered, and which bytes of the memory are read for it."""
        asked, length = self.i.payload.kind[:4], self.i.payload.length
        m.d.sync += [tag.eq(self.i.payload.tag), kind.eq(asked), status.eq(Status.OK), left.eq(0)]
        bodyless = length == HEAD + TAIL

        def takes(code: int, length_is_right: Value, statements: list[Value]) -> None:
            with m.Case(VERSION << 4 | code):
                with m.If(length_is_right):
                    m.d.sync += statements
                with m.Else():
                    m.d.sync += status.eq(Status.LENGTH)

        with m.If(self.i.payload.damaged):
            m.d.sync += [status.eq(Status.DAMAGED), kind.eq(Kind.REFUSED)]
        with m.Else(), m.Switch(self.i.payload.kind):
            takes(Kind.HELLO, bodyless, [self.address.eq(self.text), self._end.eq(self.text + self.size)])
            run = [self.address.eq(HEAD), self._end.eq(HEAD + self.inputs)]
            takes(Kind.RUN, length == HEAD + self.inputs + TAIL, [*run, left.eq(self.answers), cycles.eq(0)])
            takes(Kind.RESET, bodyless, [])
            takes(Kind.CYCLES, bodyless, [left.eq(TAIL)])
            takes(Kind.ECHO, length <= self.most, [self.address.eq(HEAD), self._end.eq(length - TAIL)])
            with m.Default():
                m.d.sync += status.eq(Status.UNKNOWN)
        if self.failed is not None:
            run_now = ~self.i.payload.damaged & (self.i.payload.kind == VERSION << 4 | Kind.RUN)
            with m.If(self.failed & run_now):
                nothing = [self.address.eq(HEAD), self._end.eq(HEAD), left.eq(0)]
                m.d.sync += [status.eq(Status.FAILED), *nothing]
        m.d.comb += self.reset.eq(
            ~self.i.payload.damaged & (self.i.payload.kind == VERSION << 4 | Kind.RESET)
        )

    def _read(self, m: Module, running: Value, copied: Value) -> Signal:
        """Reads from `address` up to `_end`, for the core or the reply; whether a byte is there."""
        loaded = Signal()
        self._end = Signal.like(self.address, name="end")
        gone = Mux(running, self.feed.ready, copied)
        m.d.comb += [
            self.reading.eq(self.address != self._end),
            self.fetch.eq(self.reading & (~loaded | gone)),
            self.feed.payload.eq(self.data),
            self.feed.valid.eq(loaded & running),
        ]
        with m.If(self.fetch):
            m.d.sync += [self.address.eq(self.address + 1), loaded.eq(1)]
        with m.Elif(gone):
            m.d.sync += loaded.eq(0)
        return loaded
