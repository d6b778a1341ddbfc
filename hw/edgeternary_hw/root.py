"""The integer reciprocal square root of rms_norm, a bit of it in two cycles, without a multiplier."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BITS", "ReciprocalRoot"]

BITS = 16  # of the root and of what it is taken of
TARGET = 46


class ReciprocalRoot(wiring.Component):
    """r, the largest integer below 2^16 with r^2 f < 2^46, for 2^14 <= f < 2^16.

    start   for a cycle; f stays as it is from then on, and r is there from `CYCLES` cycles later on

    With k bits still to come, q the bits so far, and the rest R = 2^46 / 4^k - q^2 f, the next bit is 1 if
        4 R - 4 q f - f > 0,
    which is the new rest then, else 4 R is. q f is kept beside R: it doubles, and f comes in with every 1.
    The difference is never 0, since r^2 f = 2^46 has no solution.
    """

    CYCLES = 2 * BITS + 1

    def __init__(self) -> None:
        super().__init__({"f": In(BITS), "start": In(1), "r": Out(BITS)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rest, product = Signal(2 * BITS + 1, reset_less=True), Signal(2 * BITS, reset_less=True)  # R, q f
        difference = Signal(2 * BITS + 2, reset_less=True)  # R - q f, two's complement
        second, left = Signal(), Signal(range(BITS + 1))
        tried = (difference.as_signed() << 2) - self.f
        one = ~tried[-1]
        with m.If(self.start):
            m.d.sync += [rest.eq(1 << TARGET - 2 * BITS), product.eq(0), left.eq(BITS), second.eq(0)]
        with m.Elif(left != 0):
            m.d.sync += [difference.eq(rest - product), second.eq(~second)]
            with m.If(second):
                m.d.sync += [
                    rest.eq(Mux(one, tried, rest << 2)),
                    product.eq(Mux(one, (product << 1) + self.f, product << 1)),
                    self.r.eq((self.r << 1) | one),
                    left.eq(left - 1),
                ]
        return m
