"""A row of a table for every code: the embedding of a symbol."""

from collections.abc import Sequence

from amaranth import Cat, Module, Signal
from amaranth.utils import ceil_log2

from .element import Element
from .stage import Memories, MemorySize, Streams, counter, rom

__all__ = ["Row"]


class Row(Memories, Streams):
    """Takes a code x and sends table[x], `lanes` numbers a beat, the first ones first."""

    def __init__(
        self, table: Sequence[Sequence[int]], source: Element, target: Element, *, lanes: int
    ) -> None:
        self.table, self.target, self.lanes = table, target, lanes
        self.beats = len(table[0]) // lanes
        super().__init__(i=source.width, o=lanes * target.width)

    def _rom(self) -> list[int]:
        """The rows in order, each in a power of two of words."""
        gap = [0] * ((1 << ceil_log2(self.beats)) - self.beats)
        words = []
        for row in self.table:
            words += [self.target.pack(row[k : k + self.lanes]) for k in range(0, len(row), self.lanes)] + gap
        return words

    KEPT = ("table",)

    @property
    def memories(self) -> dict[str, MemorySize]:
        size = MemorySize(len(self.table) << ceil_log2(self.beats), self.lanes * self.target.width)
        return {"table": size}

    def contents(self, name: str) -> list[int] | None:
        return self._rom()

    def elaborate(self, platform: object) -> Module:
        """The code, the word read, the word kept: three stages, which move together."""
        m = Module()
        code, busy = Signal.like(self.i.payload, reset_less=True), Signal()
        read, move, send = Signal(), Signal(), Signal()
        m.d.comb += [move.eq(~self.o.valid | self.o.ready), send.eq(busy & move)]
        at, last = counter(m, self.beats, send, "at")
        m.d.comb += self.i.ready.eq(~busy | (send & last))
        with m.If(self.i.ready):
            m.d.sync += [code.eq(self.i.payload), busy.eq(self.i.valid)]
        address = Cat(at, code) if self.beats > 1 else code
        words, width = self._rom(), len(self.o.payload)
        address = address[: max(ceil_log2(len(words)), 1)]
        word = rom(m, words, width, address, send, "table", self.place("table"))
        with m.If(move):
            m.d.sync += [read.eq(busy), self.o.valid.eq(read), self.o.payload.eq(word)]
        return m
