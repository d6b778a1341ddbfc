"""A function of each channel as a table in ROM."""

from collections.abc import Sequence

from amaranth import Cat, Module, Signal

from .element import Element, lanes
from .stage import Memories, MemorySize, Streams, later, rom

__all__ = ["Lookup"]


class Lookup(Memories, Streams):
    """y = values[x - offset]; a ROM for each of a beat's `lanes` channels, addressed by the code of x."""

    def __init__(
        self, values: Sequence[int], offset: int, source: Element, target: Element, *, lanes: int
    ) -> None:
        self.values, self.offset, self.source, self.target, self.lanes = values, offset, source, target, lanes
        super().__init__(i=lanes * source.width, o=lanes * target.width)

    def _rom(self) -> list[int]:
        words = []
        for code in range(1 << self.source.width):
            index = self.source.decode(code) - self.offset
            words.append(self.target.encode(self.values[index]) if 0 <= index < len(self.values) else 0)
        return words

    @property
    def memories(self) -> dict[str, MemorySize]:
        size = MemorySize(1 << self.source.width, self.target.width)
        return {f"rom{k}": size for k in range(self.lanes)}

    def keeps(self, name: str) -> bool:
        return True

    @property
    def kept(self) -> bool:
        """Whether the words read are kept once more."""
        return any(map(self.after, self.memories))

    def elaborate(self, platform: object) -> Module:
        """The words read; where block RAMs answer late, kept once more."""
        m = Module()
        free, there = Signal(), Signal()
        m.d.comb += [free.eq(~self.o.valid | self.o.ready), self.i.ready.eq(free)]
        with m.If(free):
            m.d.sync += [there.eq(self.i.valid), self.o.valid.eq(there if self.kept else self.i.valid)]
        results = []
        words = self._rom()
        for k, code in enumerate(lanes(self.i.payload, self.lanes)):
            name, enable = f"rom{k}", free & self.i.valid
            results.append(rom(m, words, self.target.width, code, enable, name, self.place(name)))
        m.d.comb += self.o.payload.eq(Cat(*(later(m, free, "kept", *results) if self.kept else results)))
        return m
