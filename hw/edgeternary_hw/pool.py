"""Pooling: the taps of each window (from a Window part) reduced to their maximum, minimum or sum."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .element import Element, lanes
from .fifo import Hold
from .stage import Memories, MemorySize, Streams, counter, share
from .window import Window

__all__ = ["MaxPool", "Reduce", "SumPool", "Pooling", "rank"]


class Reduce(Streams):
    """One beat for every `taps` beats: their maximum a channel (minimum where `minimum[c]`), or their sum.

    `channels` come in runs of `lanes`, all taps of a run one after another. An input beat has one more bit on
    top: 1 for a tap outside the map, which counts for nothing.
    """

    def __init__(
        self,
        source: Element,
        target: Element,
        *,
        lanes: int,
        taps: int,
        channels: int,
        minimum: Sequence[int] | None = None,
        total: bool = False,
    ) -> None:
        self.source, self.target, self.lanes, self.taps, self.total = source, target, lanes, taps, total
        self.groups = channels // lanes
        self.minimum = [int(f) for f in minimum] if minimum is not None else [0] * channels
        super().__init__(i=lanes * source.width + 1, o=lanes * target.width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        accept = Signal()
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), accept.eq(self.i.ready & self.i.valid)]
        _, last = counter(m, self.taps, accept, "tap")
        group, _ = counter(m, self.groups, accept & last, "group")
        fresh = Signal(init=1)  # no tap inside the map yet
        outside = self.i.payload[-1]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & last)
        with m.If(accept):
            m.d.sync += fresh.eq(last | (fresh & outside))
            with m.If(~outside):
                old = lanes(self.o.payload, self.lanes)
                new = lanes(self.i.payload[:-1], self.lanes)
                m.d.sync += self.o.payload.eq(
                    Cat(
                        *(
                            self._step(fresh, group, k, a, b)
                            for k, (a, b) in enumerate(zip(old, new, strict=True))
                        )
                    )
                )
        return m

    def _step(self, fresh: Value, group: Value, lane: int, old: Value, new: Value) -> Value:
        if self.total:
            first = Mux(fresh, 0, self.target.number(old))
            return self.target.code(first + self.source.number(new))
        a, b = rank(self.source, old), rank(self.source, new)
        flags = self.minimum[lane :: self.lanes]
        if len(set(flags)) == 1:
            better = b < a if flags[0] else b > a
        else:
            choice = Const(sum(f << k for k, f in enumerate(flags)), self.groups).bit_select(group, 1)
            better = (b > a) ^ choice
        return Mux(fresh | better, new, old)


def rank(element: Element, code: Value) -> Value:
    """A number that orders as the values of the codes do."""
    if element.kind == "ternary":
        return Cat(~code[1], code[0])
    return code.as_signed() if element.kind == "signed" else code


class Pooling(NamedTuple):
    """What is pooled: a map of `size` (height, width), and the windows over it."""

    size: tuple[int, int]
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def taps(self) -> int:
        """Taps of a window."""
        return self.kernel[0] * self.kernel[1]

    def part(self, element: Element, lanes: int) -> Window:
        """The part that sends the taps of each run of `lanes` channels in a row."""
        beats, (size, _, kernel, stride, pad) = self.channels // lanes, self
        return Window(lanes * element.width, size, beats, kernel, stride, pad, sections=beats, mark=True)


class _Pool(Memories, wiring.Component):
    """A Window that sends each channel run's taps in a row, and a Reduce."""

    INNER = ("window",)

    def __init__(self, window: Window, reduce: Reduce) -> None:
        self.window, self.reduce = window, reduce
        super().__init__({"i": In(window.i.signature), "o": Out(reduce.o.signature)})

    @property
    def memories(self) -> dict[str, MemorySize]:
        return {}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.window = self.window
        m.submodules.hold = hold = Hold(len(self.window.o.payload))  # memories answer late in the cycle
        m.submodules.reduce = self.reduce
        self.window.i, self.reduce.o = self.i, self.o
        share(self.window.o, hold)
        share(hold.o, self.reduce)
        return m


class MaxPool(_Pool):
    """Maximum over windows; channels with `minimum` take the minimum. Taps outside the map never win."""

    def __init__(
        self, element: Element, over: Pooling, *, lanes: int, minimum: Sequence[int] | None = None
    ) -> None:
        taps, channels = over.taps, over.channels
        reduce = Reduce(element, element, lanes=lanes, taps=taps, channels=channels, minimum=minimum)
        super().__init__(over.part(element, lanes), reduce)


class SumPool(_Pool):
    """Sum over windows, without padding; `target` holds the sum."""

    def __init__(self, source: Element, target: Element, over: Pooling, *, lanes: int) -> None:
        reduce = Reduce(source, target, lanes=lanes, taps=over.taps, channels=over.channels, total=True)
        super().__init__(over.part(source, lanes), reduce)
