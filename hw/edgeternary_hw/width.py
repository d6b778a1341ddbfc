"""Width converters: more or fewer channels a beat, the order of the channels kept."""

from amaranth import Cat, Module, Signal

from .fifo import Skid
from .stage import Streams, counter

__all__ = ["Narrow", "Widen"]


class Widen(Streams):
    """Gathers `ratio` beats of `width` bits into one, the first in the low bits."""

    def __init__(self, width: int, ratio: int) -> None:
        self.width, self.ratio = width, ratio
        super().__init__(i=width, o=width * ratio)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        accept = Signal()
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), accept.eq(self.i.ready & self.i.valid)]
        _, last = counter(m, self.ratio, accept)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & last)
        with m.If(accept):
            m.d.sync += self.o.payload.eq(Cat(self.o.payload, self.i.payload)[self.width :])
        return m


class Narrow(Streams):
    """Splits a beat into `ratio` beats of `width` bits, the low bits first; its ready is a flip-flop."""

    def __init__(self, width: int, ratio: int) -> None:
        self.width, self.ratio = width, ratio
        super().__init__(i=width * ratio, o=width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = buffer = Skid(len(self.i.payload))
        buffer.i = self.i
        left = Signal(range(self.ratio + 1))
        rest = Signal.like(self.i.payload, reset_less=True)
        m.d.comb += [
            self.o.valid.eq(left != 0),
            self.o.payload.eq(rest),
            buffer.o.ready.eq((left == 0) | ((left == 1) & self.o.ready)),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [left.eq(left - 1), rest.eq(rest >> self.width)]
        with m.If(buffer.o.ready & buffer.o.valid):
            m.d.sync += [left.eq(self.ratio), rest.eq(buffer.o.payload)]
        return m
