"""The index of the largest channel; the lowest one of equals."""

from amaranth import Module, Signal

from .element import Element
from .pool import rank
from .stage import Streams, counter

__all__ = ["ArgMax"]


class ArgMax(Streams):
    """Takes `channels` beats of one channel each and sends one beat: the index, `out_width` bits unsigned."""

    def __init__(self, element: Element, channels: int, out_width: int) -> None:
        self.element, self.channels = element, channels
        super().__init__(i=element.width, o=out_width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        best = Signal.like(self.i.payload)
        accept = Signal()
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), accept.eq(self.i.ready & self.i.valid)]
        index, last = counter(m, self.channels, accept, "index")
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & last)
        with m.If(accept & ((index == 0) | (rank(self.element, self.i.payload) > rank(self.element, best)))):
            m.d.sync += [best.eq(self.i.payload), self.o.payload.eq(index)]
        return m
