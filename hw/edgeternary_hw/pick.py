"""Some of the channels of every beat."""

from amaranth import Cat, Module

from .element import lanes
from .stage import Streams

__all__ = ["Pick"]


class Pick(Streams):
    """Every `count`-th of a beat's `lanes` channels of `width` bits, from channel `index` on. Only wires."""

    def __init__(self, width: int, lanes: int, index: int, count: int) -> None:
        self.lanes, self.index, self.count = lanes, index, count
        super().__init__(i=lanes * width, o=lanes // count * width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.payload.eq(Cat(*lanes(self.i.payload, self.lanes)[self.index :: self.count])),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m
