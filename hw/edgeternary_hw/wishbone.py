"""A core as a slave on a Wishbone bus (B4, classic cycles, 32 bits)."""

from typing import Any

from amaranth import Cat, Const, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .fifo import Fifo, Skid
from .stage import share
from .unpack import Unpack, feed
from .width import Narrow
from .words import Words

__all__ = ["Wishbone"]

STATUS, INPUT, OUTPUT, SIZES = range(4)


class Wishbone(wiring.Component):
    """Registers, by address in words; every access is acknowledged in the cycle after it, none waits.

    0 STATUS  read: bit 0 INPUT has room, bit 1 OUTPUT has a word, bit 2 a word was lost (INPUT had no room),
              bit 3 weights are awaited, bit 4 they are not those of this network; write: bit 0 resets the
              core, its states, both FIFOs and bit 2, not the weights
    1 INPUT   write: four bytes of a frame, the first in the low bits; the last word of a frame is filled up.
              Before the first frame the `load` bytes of weights that a core may want, filled up as well
    2 OUTPUT  read: the next number, sign-extended, and after the numbers the class; 0 if there is none
    3 SIZES   read: words of a frame in the low half, words of an answer in the high half

    core    takes beats on i and sends bytes on o, as edgeternary_hw.Answer makes them; its port `clear`
            resets it, its stream `load` takes weights
    unpack  its frames' bytes to its beats
    gather  its answers' bytes to words
    depth   words that each FIFO holds
    load    bytes of weights, 0 of a core without such a stream
    """

    def __init__(self, core: Any, unpack: Unpack, gather: Words, depth: int = 64, load: int = 0) -> None:
        self.core, self.unpack, self.gather, self.depth, self.load = core, unpack, gather, depth, load
        self.frame_words = -(-unpack.frame_bytes // 4)
        super().__init__(
            {
                "wb_cyc_i": In(1),
                "wb_stb_i": In(1),
                "wb_we_i": In(1),
                "wb_adr_i": In(2),
                "wb_dat_i": In(32),
                "wb_dat_o": Out(32),
                "wb_ack_o": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        reset, lost = Signal(), Signal()
        parts = {
            "fifo_in": Fifo(32, self.depth), "bytes": Narrow(8, 4), "unpack": self.unpack,
            "gather": self.gather, "fifo_out": Fifo(32, self.depth), "out": Skid(32),
        }  # fmt: skip
        for name, part in parts.items():
            m.submodules[name] = ResetInserter(reset)(part)
        m.submodules.core = core = self.core
        m.d.comb += core.clear.eq(reset)
        first, last = parts["fifo_in"].i, parts["out"].o
        share(parts["fifo_in"].o, parts["bytes"])
        share(parts["fifo_out"].o, parts["out"])
        loaded, failed = self._weights(m, parts["bytes"].o, reset)
        self._frame(m, parts["bytes"].o, parts["unpack"].i, reset, loaded)
        feed(m, parts["unpack"].o, core)
        wiring.connect(m, core.o, parts["gather"].i)
        wiring.connect(m, parts["gather"].o, parts["fifo_out"].i)
        access = Signal()
        here = [self.wb_adr_i == k for k in range(4)]
        write = access & self.wb_we_i
        m.d.comb += [
            access.eq(self.wb_cyc_i & self.wb_stb_i & ~self.wb_ack_o),
            reset.eq(write & here[STATUS] & self.wb_dat_i[0]),
            first.payload.eq(self.wb_dat_i),
            first.valid.eq(write & here[INPUT]),
            last.ready.eq(access & ~self.wb_we_i & here[OUTPUT]),
        ]
        m.d.sync += self.wb_ack_o.eq(access)
        with m.If(reset):
            m.d.sync += lost.eq(0)
        with m.Elif(first.valid & ~first.ready):
            m.d.sync += lost.eq(1)
        sizes = Cat(Const(self.frame_words, 16), Const(self.gather.words, 16))
        with m.If(access), m.Switch(self.wb_adr_i):
            with m.Case(STATUS):
                m.d.sync += self.wb_dat_o.eq(Cat(first.ready, last.valid, lost, ~loaded, failed))
            with m.Case(OUTPUT):
                m.d.sync += self.wb_dat_o.eq(last.payload & last.valid.replicate(32))
            with m.Default():
                m.d.sync += self.wb_dat_o.eq(sizes)
        return m

    def _weights(self, m: Module, source: Any, reset: Signal) -> tuple[Value, Value]:
        """The bytes before the first frame; whether all are in, and whether they were the wrong ones."""
        if not self.load:
            return Const(1, 1), Const(0, 1)
        core, fill = self.core, -self.load % 4
        extra = Signal(range(fill + 1), init=fill)  # bytes that still fill up the last word
        m.d.comb += [
            core.load.payload.eq(source.payload),
            core.load.valid.eq(source.valid & ~(core.load__done | core.load__failed)),
        ]
        with m.If(reset):
            m.d.sync += extra.eq(Mux(core.load__done, 0, fill))
        with m.Elif(core.load__done & (extra != 0) & source.valid):
            m.d.sync += extra.eq(extra - 1)
        return core.load__done & (extra == 0), core.load__failed

    def _frame(self, m: Module, source: Any, sink: Any, reset: Signal, loaded: Value) -> None:
        """Joins two streams of bytes; those that fill up the last word of a frame are dropped."""
        count, sent = self.unpack.frame_bytes, 4 * self.frame_words
        at, real = Signal(range(sent)), Signal()
        before = (self.core.load.ready | self.core.load__done) if self.load else Const(0)
        m.d.comb += [
            real.eq(at < count),
            sink.payload.eq(source.payload),
            sink.valid.eq(source.valid & real & loaded),
            source.ready.eq(Mux(loaded, sink.ready | ~real, before)),
        ]
        with m.If(reset):
            m.d.sync += at.eq(0)
        with m.Elif(source.valid & source.ready & loaded):
            m.d.sync += at.eq(at + 1)
            with m.If(at == sent - 1):
                m.d.sync += at.eq(0)
