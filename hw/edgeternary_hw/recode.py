"""The same numbers in another encoding."""

from amaranth import Cat, Module

from .element import Element, lanes
from .stage import Streams

__all__ = ["Recode"]


class Recode(Streams):
    """Changes the code of every channel from `source` to `target`, which must hold them all. Only wires."""

    def __init__(self, source: Element, target: Element, *, lanes: int) -> None:
        self.source, self.target, self.lanes = source, target, lanes
        super().__init__(i=lanes * source.width, o=lanes * target.width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        codes = [self.target.code(self.source.number(code)) for code in lanes(self.i.payload, self.lanes)]
        m.d.comb += [
            self.o.payload.eq(Cat(*codes)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m
