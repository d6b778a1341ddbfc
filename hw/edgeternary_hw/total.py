"""The sum of all beats of a frame."""

from collections.abc import Sequence

from amaranth import Cat, Module, Mux, Signal

from .element import Element, lanes
from .stage import Streams, counter

__all__ = ["Total"]


class Total(Streams):
    """Input: frames of `beats` beats, each of a number for every lane. Output: a beat for each frame, of
    every lane start[lane] + the sum of its numbers, which `target` holds.
    """

    def __init__(self, source: Element, target: Element, beats: int, start: Sequence[int]) -> None:
        self.source, self.target, self.beats, self.start = source, target, beats, list(start)
        super().__init__(i=len(self.start) * source.width, o=len(self.start) * target.width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        accept, first = Signal(), Signal(init=1)
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), accept.eq(self.i.ready & self.i.valid)]
        _, last = counter(m, self.beats, accept, "beat")
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & last)
        count = len(self.start)
        sums = [
            Mux(first, start, self.target.number(old)) + self.source.number(new)
            for start, old, new in zip(
                self.start, lanes(self.o.payload, count), lanes(self.i.payload, count), strict=True
            )
        ]
        with m.If(accept):
            m.d.sync += [first.eq(last), self.o.payload.eq(Cat(map(self.target.code, sums)))]
        return m
