"""Frames of one stream to several readers in turn: what edgeternary_hw.Concat joined comes apart again."""

from amaranth import Cat, Module, Signal

from .stage import Streams

__all__ = ["Turns"]


class Turns(Streams):
    """`beats[k]` beats go to output ok, then the next ones to the output after it, round and round."""

    def __init__(self, width: int, beats: list[int]) -> None:
        self.beats, self.count = beats, len(beats)
        super().__init__(i=width, **{f"o{k}": width for k in range(len(beats))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        turn = Signal(self.count, init=1)  # one bit is 1
        left = Signal(range(max(self.beats)), init=self.beats[0] - 1)
        moved = Signal()
        m.d.comb += moved.eq(self.i.valid & self.i.ready)
        outputs = [getattr(self, f"o{k}") for k in range(self.count)]
        m.d.comb += self.i.ready.eq(Cat(turn[k] & o.ready for k, o in enumerate(outputs)).any())
        for k, o in enumerate(outputs):
            following = self.beats[(k + 1) % self.count] - 1
            m.d.comb += [o.payload.eq(self.i.payload), o.valid.eq(self.i.valid & turn[k])]
            with m.If(moved & turn[k]):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.d.sync += [turn.eq(turn.rotate_left(1)), left.eq(following)]
        return m
