"""Where streams part and meet: fork, element-wise sum, concatenation, slice."""

from amaranth import Cat, Module, Mux, Signal

from .element import Element, lanes
from .fifo import Skid
from .stage import Streams

__all__ = ["Add", "Concat", "Fork", "Slice"]


class Fork(Streams):
    """Copies a stream to `count` outputs o0, o1, ...; each takes a beat when it can, none twice."""

    def __init__(self, width: int, count: int) -> None:
        self.count = count
        super().__init__(i=width, **{f"o{k}": width for k in range(count)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        done = Signal(self.count)
        outputs = [getattr(self, f"o{k}") for k in range(self.count)]
        taken = [done[k] | o.ready for k, o in enumerate(outputs)]
        m.d.comb += self.i.ready.eq(Cat(*taken).all())
        for k, o in enumerate(outputs):
            m.d.comb += [o.payload.eq(self.i.payload), o.valid.eq(self.i.valid & ~done[k])]
        with m.If(self.i.valid):
            m.d.sync += done.eq(Mux(self.i.ready, 0, Cat(*taken)))
        return m


class Add(Streams):
    """o = i0 + i1, channel by channel; both inputs are buffered so that no ready depends on a valid."""

    def __init__(self, first: Element, second: Element, target: Element, *, lanes: int) -> None:
        self.first, self.second, self.target, self.lanes = first, second, target, lanes
        super().__init__(i0=lanes * first.width, i1=lanes * second.width, o=lanes * target.width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer0 = first = Skid(self.lanes * self.first.width)
        m.submodules.buffer1 = second = Skid(self.lanes * self.second.width)
        first.i, second.i = self.i0, self.i1
        both, free = Signal(), Signal()
        m.d.comb += [
            both.eq(first.o.valid & second.o.valid),
            free.eq(~self.o.valid | self.o.ready),
            first.o.ready.eq(free & both),
            second.o.ready.eq(free & both),
        ]
        sums = [
            self.target.code(self.first.number(a) + self.second.number(b))
            for a, b in zip(
                lanes(first.o.payload, self.lanes), lanes(second.o.payload, self.lanes), strict=True
            )
        ]
        with m.If(free):
            m.d.sync += self.o.valid.eq(both)
            with m.If(both):
                m.d.sync += self.o.payload.eq(Cat(*sums))
        return m


class Concat(Streams):
    """Joins maps along the channels: `beats[k]` beats a pixel from input ik, in the order of the inputs."""

    def __init__(self, width: int, beats: list[int]) -> None:
        self.beats = beats
        super().__init__(**{f"i{k}": width for k in range(len(beats))}, o=width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        turn = Signal(range(len(self.beats)))
        moved = Signal()
        left = Signal(range(max(self.beats)), init=self.beats[0] - 1)
        m.d.comb += moved.eq(self.o.valid & self.o.ready)
        with m.Switch(turn):
            for k, _ in enumerate(self.beats):
                port = getattr(self, f"i{k}")
                following = (k + 1) % len(self.beats)
                with m.Case(k):
                    m.d.comb += [
                        self.o.payload.eq(port.payload),
                        self.o.valid.eq(port.valid),
                        port.ready.eq(self.o.ready),
                    ]
                    with m.If(moved):
                        m.d.sync += left.eq(left - 1)
                        with m.If(left == 0):
                            m.d.sync += [turn.eq(following), left.eq(self.beats[following] - 1)]
        return m


class Slice(Streams):
    """Of each before + kept + after beats passes on the `kept` in the middle and swallows the others."""

    def __init__(self, width: int, before: int, kept: int, after: int) -> None:
        self.before, self.kept, self.after = before, kept, after
        super().__init__(i=width, o=width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = self.before + self.kept + self.after
        at = Signal(range(count))
        passes = Signal()
        m.d.comb += [
            passes.eq((at >= self.before) & (at < self.before + self.kept)),
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & passes),
            self.i.ready.eq(self.o.ready | ~passes),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += at.eq(Mux(at == count - 1, 0, at + 1))
        return m
