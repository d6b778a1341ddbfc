"""Serial port, 8N1: a byte is a start bit (0), eight data bits, the low one first, and a stop bit (1)."""

from fractions import Fraction

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver", "UartTransmitter"]

FEWEST = 4  # clocks a bit: the receiver looks at a bit near its middle


def bit_time(clock_hz: int, baud: int) -> Fraction:
    """Clocks a bit; ValueError for fewer than four."""
    clocks = Fraction(clock_hz, baud)
    if clocks < FEWEST:
        raise ValueError(f"{baud:,} baud need a clock of {FEWEST * baud:,} Hz, there are {clock_hz:,}")
    return clocks


def ticks(m: Module, clocks: Fraction, start: Value, offset: Fraction) -> Value:
    """1 once a bit, on average exactly: for a bit of c / b clocks the phase grows by b modulo c.

    start   start again; the first tick then is (1 - offset) bits away
    """
    c, b = clocks.numerator, clocks.denominator
    phase = Signal(range(c))
    tick = phase >= c - b
    with m.If(start):
        m.d.sync += phase.eq(int(c * offset))
    with m.Else():
        m.d.sync += phase.eq(Mux(tick, phase - (c - b), phase + b))
    return tick


class UartReceiver(wiring.Component):
    """Bytes of the pin rx. One that nobody takes until the next one is complete is lost: a wire cannot wait.

    A start bit that is over by its middle, and a byte without a stop bit, are noise and dropped.
    """

    def __init__(self, clock_hz: int, baud: int) -> None:
        self.clocks = bit_time(clock_hz, baud)
        super().__init__({"rx": In(1, init=1), "o": Out(stream.Signature(unsigned(8)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        first, line = Signal(init=1), Signal(init=1)  # two flip-flops: rx keeps no time with our clock
        m.d.sync += [first.eq(self.rx), line.eq(first)]
        left = Signal(range(11))  # bits that are still to come; 0: idle
        bits = Signal(8, reset_less=True)
        start = (left == 0) & ~line
        tick = ticks(m, self.clocks, start, Fraction(1, 2))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(start):
            m.d.sync += left.eq(10)
        with m.Elif(tick & (left != 0)):
            m.d.sync += [left.eq(left - 1), bits.eq(Cat(bits[1:], line))]
            with m.If((left == 10) & line):
                m.d.sync += left.eq(0)
            with m.If((left == 1) & line):
                m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(bits)]
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes on the pin tx."""

    def __init__(self, clock_hz: int, baud: int) -> None:
        self.clocks = bit_time(clock_hz, baud)
        super().__init__({"i": In(stream.Signature(unsigned(8))), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(11))  # bits until the next byte may follow
        bits = Signal(9, init=-1)
        m.d.comb += [self.tx.eq(bits[0]), self.i.ready.eq(left == 0)]
        tick = ticks(m, self.clocks, self.i.ready, Fraction(0))
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [left.eq(10), bits.eq(Cat(0, self.i.payload))]
        with m.Elif(tick & ~self.i.ready):
            m.d.sync += [left.eq(left - 1), bits.eq(Cat(bits[1:], 1))]
        return m
