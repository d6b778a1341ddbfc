"""The network's answer as bytes, with the index of the largest number behind it: what a host reads."""

from __future__ import annotations

from amaranth import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .element import Element, resize
from .stage import counter

__all__ = ["Answer"]


class Answer(wiring.Component):
    """`count` numbers, one a beat, leave as `size` bytes each: little-endian, two's complement.

    With `index` the index of the largest follows, the lowest one of equals, in one byte (two from 257
    numbers on).
    """

    def __init__(self, element: Element, count: int, size: int, *, index: bool) -> None:
        self.element, self.count, self.size, self.index = element, count, size, index
        super().__init__(
            {"i": In(stream.Signature(unsigned(element.width))), "o": Out(stream.Signature(unsigned(8)))}
        )

    @property
    def index_bytes(self) -> int:
        return (1 if self.count <= 256 else 2) if self.index else 0

    def elaborate(self, platform: object) -> Module:
        m = Module()
        longest = max(self.size, self.index_bytes)
        left = Signal(range(longest + 1))  # bytes of `rest` still to be sent
        rest = Signal(8 * longest, reset_less=True)
        pending = Signal()  # all numbers are in: the index follows
        number = resize(self.element.number(self.i.payload), 8 * self.size)
        sent = self.o.ready & (left != 0)
        accept = Signal()
        m.d.comb += [
            self.o.valid.eq(left != 0),
            self.o.payload.eq(rest),
            self.i.ready.eq(((left == 0) | ((left == 1) & self.o.ready)) & ~pending),
            accept.eq(self.i.valid & self.i.ready),
        ]
        at, last = counter(m, self.count, accept, "at")
        with m.If(sent):
            m.d.sync += [left.eq(left - 1), rest.eq(rest >> 8)]
        with m.If(accept):
            m.d.sync += [left.eq(self.size), rest.eq(number)]
        if self.index:
            best, settled = self._best(m, accept, at)
            with m.If(accept & last):
                m.d.sync += pending.eq(1)
            with m.If(pending & settled & ((left == 0) | ((left == 1) & self.o.ready))):
                m.d.sync += [left.eq(self.index_bytes), rest.eq(best), pending.eq(0)]
        return m

    def _best(self, m: Module, accept: Value, at: Value) -> tuple[Signal, Value]:
        """The index of the largest number so far, and whether the last one that came in is compared."""
        offset = Const(1 << (self.element.width - 1), self.element.width)
        order = self.i.payload ^ offset if self.element.kind == "signed" else self.i.payload
        if self.element.kind == "ternary":
            order = Mux(self.i.payload[1], 0, Mux(self.i.payload[0], 2, 1))
        new, highest = Signal(len(order), reset_less=True), Signal(len(order), reset_less=True)
        place, fresh = Signal(range(max(self.count, 2))), Signal()
        best = Signal.like(place, name="best", reset_less=True)
        m.d.sync += fresh.eq(accept)
        with m.If(accept):
            m.d.sync += [new.eq(order), place.eq(at)]
        with m.If(fresh & ((place == 0) | (new > highest))):
            m.d.sync += [highest.eq(new), best.eq(place)]
        return best, ~fresh
