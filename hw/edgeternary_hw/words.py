"""The bytes of an answer (edgeternary_hw.answer) as words of 32 bits, one a number."""

from amaranth import Cat, Module, Mux, Signal

from .element import resize
from .stage import Streams, counter

__all__ = ["Words"]


class Words(Streams):
    """`count` numbers of `size` bytes, sign-extended if `signed`; then, where it has bytes, the class."""

    def __init__(self, count: int, size: int, index: int, *, signed: bool) -> None:
        self.count, self.size, self.index, self.signed = count, size, index, signed
        super().__init__(i=8, o=32)

    @property
    def words(self) -> int:
        return self.count + (self.index > 0)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = Signal(32, reset_less=True)
        left = Signal(range(max(self.size, self.index, 2)), init=self.size - 1)  # bytes that are missing
        take, complete = Signal(), Signal()
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), take.eq(self.i.ready & self.i.valid)]
        m.d.comb += complete.eq(take & (left == 0))
        at, last = counter(m, self.words, complete, "word")
        is_class = last if self.index else 0
        after = Mux(at == self.words - 2, self.index - 1, self.size - 1) if self.index else self.size - 1
        number, label = Signal(8 * self.size), Signal(8 * max(self.index, 1))
        now = Cat(bits[8:], self.i.payload)
        m.d.comb += [number.eq(now[-len(number) :]), label.eq(now[-len(label) :])]
        value = resize(number.as_signed() if self.signed else number, 32)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(complete)
        with m.If(take):
            m.d.sync += [bits.eq(now), left.eq(Mux(left == 0, after, left - 1))]
            m.d.sync += self.o.payload.eq(Mux(is_class, label, value))
        return m
