"""Some of the channels of every beat."""

from amaranth import Cat, Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .element import lanes

__all__ = ["Pick"]


class Pick(wiring.Component):
    """Every `count`-th of a beat's `lanes` channels of `width` bits, from channel `index` on. Only wires."""

    def __init__(self, width: int, lanes: int, index: int, count: int) -> None:
        self.lanes, self.index, self.count = lanes, index, count
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * width))),
                "o": Out(stream.Signature(unsigned(lanes // count * width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.payload.eq(Cat(*lanes(self.i.payload, self.lanes)[self.index :: self.count])),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m
