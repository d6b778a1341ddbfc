"""The serial flash that holds an FPGA's bitstream: its bytes from a fixed address on, once, as a stream."""

from amaranth import Cat, Const, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FlashReader", "lead_clocks", "wake_clocks"]

WAKE, READ = 0xAB, 0x03  # release from power-down, in which iCE40 leaves the flash; read data
WAKE_SECONDS = 50e-6  # tRES1: 3 us (Winbond W25Q128JV, table of AC characteristics); 30 us of other makes


def wake_clocks(clock_hz: int) -> int:
    """Clocks between the command that wakes the flash and the next one."""
    return max(int(WAKE_SECONDS * clock_hz), 1)


def lead_clocks(clock_hz: int) -> int:
    """Clocks before the first bit is looked at: two commands and the wait between them."""
    return 1 + 2 * 8 + wake_clocks(clock_hz) + 2 * 32


class FlashReader(wiring.Component):
    """The bytes from `offset` on, until `stop`; SPI mode 0, a bit in two clocks.

    cs_n, sck, copi, cipo   the pins; cipo is looked at as sck rises, a clock after the flash has changed it
    """

    def __init__(self, offset: int, clock_hz: int) -> None:
        self.offset, self.clock_hz = offset, clock_hz
        super().__init__(
            {"o": Out(stream.Signature(unsigned(8))), "stop": In(1), "cs_n": Out(1, init=1), "sck": Out(1),
             "copi": Out(1), "cipo": In(1)}
        )  # fmt: skip

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bit = Signal(5)  # of a command
        rest = Signal(range(wake_clocks(self.clock_hz)), init=wake_clocks(self.clock_hz) - 1)
        got = Signal(3)  # bits of a byte
        commands = {
            "WAKE": (Const(WAKE, 8), "REST", 1),
            "ASK": (Const(READ << 24 | self.offset, 32), "READ", 0),
        }
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM(init="START"):
            with m.State("START"):
                m.d.sync += self.cs_n.eq(0)
                m.next = "WAKE"
            for state, (command, after, over) in commands.items():
                last = len(command) - 1
                with m.State(state):
                    m.d.comb += self.copi.eq(command.bit_select(bit[: last.bit_length()] ^ last, 1))
                    m.d.sync += self.sck.eq(~self.sck)
                    with m.If(self.sck):
                        m.d.sync += bit.eq(bit + 1)
                        with m.If(bit == last):
                            m.d.sync += [bit.eq(0), self.cs_n.eq(over)]
                            m.next = after
            with m.State("REST"):
                m.d.sync += rest.eq(rest - 1)
                with m.If(rest == 0):
                    m.d.sync += self.cs_n.eq(0)
                    m.next = "ASK"
            with m.State("READ"):
                with m.If(self.stop):
                    m.d.sync += [self.cs_n.eq(1), self.sck.eq(0)]
                with m.Elif(~self.o.valid | self.o.ready):  # a byte that waits stops the clock
                    m.d.sync += self.sck.eq(~self.sck)
                    with m.If(~self.sck):
                        m.d.sync += [self.o.payload.eq(Cat(self.cipo, self.o.payload[:7])), got.eq(got + 1)]
                        m.d.sync += self.o.valid.eq(got.all())
        return m
