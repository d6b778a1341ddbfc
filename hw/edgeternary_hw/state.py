"""What a network keeps from one step to the next: a stream that comes back a frame later."""

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Signal

from .fifo import Fifo
from .stage import Memories, MemorySize, Streams, counter, table

__all__ = ["Starts", "State"]


class Starts(Streams):
    """Takes the highest bit off a stream with `beats` beats a frame: with the first beat of a frame it says
    whether a sample starts here. Each of the outputs o1, o2, ... (`count`) gets this bit once a frame, o0 the
    rest of every beat.
    """

    def __init__(self, width: int, beats: int, count: int) -> None:
        self.beats, self.count = beats, count
        super().__init__(i=width + 1, o0=width, **{f"o{k + 1}": 1 for k in range(count)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        outputs = [getattr(self, f"o{k}") for k in range(self.count + 1)]
        wanted, done = Signal(len(outputs)), Signal(len(outputs))  # by this beat; of these, have it already
        taken = Cat(*(done[k] | ~wanted[k] | o.ready for k, o in enumerate(outputs)))
        _, last = counter(m, self.beats, self.i.valid & self.i.ready)
        later = Signal()  # this beat is not the first of its frame
        m.d.comb += [wanted.eq(Cat(1, (~later).replicate(self.count))), self.i.ready.eq(taken.all())]
        for k, o in enumerate(outputs):
            m.d.comb += o.valid.eq(self.i.valid & wanted[k] & ~done[k])
            m.d.comb += o.payload.eq(self.i.payload[-1] if k else self.i.payload[:-1])
        with m.If(self.i.valid):
            m.d.sync += done.eq(Mux(self.i.ready, 0, taken & wanted))
            with m.If(self.i.ready):
                m.d.sync += later.eq(~last)
        return m


class State(Memories, Streams):
    """o is i0, a frame later: frame k of o is frame k - 1 of i0, and in place of frame -1 comes `initial`.

    initial  payloads of a frame
    ahead    frames whose bit on i1 may wait: those after the one on o that may have begun upstream
    i1       a bit for each frame of o; 1: in place of frame k - 1 of i0, which is dropped, comes `initial`

    There is room for two frames, the one being read and the one being written, so that writing a step never
    waits for what the same step reads.
    """

    INNER = ("ring", "bits")

    def __init__(self, width: int, initial: Sequence[int], ahead: int) -> None:
        self.width, self.initial = width, [int(word) for word in initial]
        self.ring = Fifo(width, 2 * len(self.initial))
        self.bits = Fifo(1, ahead)
        for part in (self.ring, self.bits):
            part._MustUse__silence = True  # designs that are only estimated are never elaborated
        super().__init__(i0=width, i1=1, o=width)

    @property
    def memories(self) -> dict[str, MemorySize]:
        if len(set(self.initial)) == 1:
            return {}
        return {"initial": MemorySize(len(self.initial), self.width)}

    def contents(self, name: str) -> list[int] | None:
        return self.initial

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ring, bits = self.ring, self.bits
        ring.i, bits.i = self.i0, self.i1
        m.submodules.ring, m.submodules.bits = ring.elaborate(platform), bits.elaborate(platform)
        empty = Signal(init=1)  # nothing was written yet: this is the first frame after reset
        fresh, free, take = Signal(), Signal(), Signal()
        _, last = counter(m, len(self.initial), take)
        m.d.comb += [
            fresh.eq(empty | bits.o.payload),
            free.eq(~self.o.valid | self.o.ready),
            take.eq(free & bits.o.valid & (ring.o.valid | empty)),
            ring.o.ready.eq(take & ~empty),
            bits.o.ready.eq(take & last),
        ]
        word = table(m, self.initial, self.width, take, "initial", self.place("initial"))
        with m.If(free):
            m.d.sync += self.o.valid.eq(take)
        with m.If(take & last):
            m.d.sync += empty.eq(0)
        if isinstance(word, Const):
            with m.If(take):
                m.d.sync += self.o.payload.eq(Mux(fresh, word, ring.o.payload))
            return m
        held, begins = Signal(self.width, reset_less=True), Signal()
        with m.If(take):
            m.d.sync += [held.eq(ring.o.payload), begins.eq(fresh)]
        m.d.comb += self.o.payload.eq(Mux(begins, word, held))
        return m
