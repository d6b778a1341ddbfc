"""Buffers: a ring memory that can replay vectors, a FIFO, and buffers of one and two registers."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.utils import ceil_log2

from .stage import Memories, MemorySize, Streams, counter, ram

__all__ = ["Fifo", "Hold", "Replay", "Skid"]


class Replay(Memories, Streams):
    """Sends every vector of `length` beats `times` times; room for `capacity` beats (rounded up to 2^n).

    The default capacity is two vectors, so that one is loaded while the other is sent. A beat can be sent as
    soon as it is stored, and its place is free as soon as it is sent for the last time.
    """

    def __init__(self, width: int, length: int, times: int, capacity: int | None = None) -> None:
        self.width, self.length, self.times = width, length, times
        self.depth = 1 << ceil_log2(max(2, capacity or 2 * length, length))
        super().__init__(i=width, o=width)

    KEPT = ("ring",)

    @property
    def memories(self) -> dict[str, MemorySize]:
        return {"ring": MemorySize(self.depth, self.width, writable=True)}

    @property
    def registered(self) -> bool:
        """Whether a register follows the memory: one in the block itself, which costs nothing."""
        return self.inside and self.after("ring")

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = ceil_log2(self.depth)
        used = Signal(range(self.depth + 1))  # beats stored and not yet sent for the last time
        fresh = Signal(range(self.depth + 1))  # beats stored and not yet sent at all
        some, first = Signal(), Signal(init=1)  # fresh != 0; this is the first time
        write_at, read_at = Signal(bits), Signal(bits)
        send, accept = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~used[-1]),
            accept.eq(self.i.valid & self.i.ready),
            send.eq((~self.o.valid | self.o.ready) & (some | ~first)),
        ]
        _, end = counter(m, self.length, send, "offset")
        _, last = counter(m, self.times, send & end, "time")
        write, reads = (write_at, self.i.payload, accept), [(read_at, send)]
        read = data = ram(m, self.width, write, reads, "ring", self.place("ring"))
        if self.registered:
            free, there = ~self.o.valid | self.o.ready, Signal()
            data = [Signal(self.width, name="kept", reset_less=True)]
            with m.If(free):
                m.d.sync += [there.eq(send), self.o.valid.eq(there), data[0].eq(read[0])]
        else:
            m.d.sync += self.o.valid.eq(send | (self.o.valid & ~self.o.ready))
        self.o.payload = data[0]
        with m.If(accept):
            m.d.sync += write_at.eq(write_at + 1)
        with m.If(send):
            m.d.sync += read_at.eq(read_at + Mux(end & ~last, 1 - self.length, 1))
            if self.times > 1:
                with m.If(end):
                    m.d.sync += first.eq(last)
        gone, taken = send & last, send & first
        m.d.sync += [
            used.eq(self._counted(used, accept, gone)),
            fresh.eq(self._counted(fresh, accept, taken)),
            some.eq(accept | (some & ~(taken & (fresh == 1)))),
        ]
        return m

    def _counted(self, count: Value, up: Value, down: Value) -> Value:
        """count + up - down; where the fabric could be as fast as its wires, in one carry chain, not two."""
        return count + Cat(up ^ down, down & ~up).as_signed() if self.inside else count + up - down


class Fifo(Replay):
    """First in, first out; room for `capacity` beats, rounded up to a power of two."""

    def __init__(self, width: int, capacity: int) -> None:
        super().__init__(width, 1, 1, capacity)


class Hold(Streams):
    """One register: cuts the path of the payload, not that of ready.

    read  bits of the payload that something reads; synthesis leaves the others out
    """

    def __init__(self, width: int, *, read: int = -1) -> None:
        self.read = width if read < 0 else read
        super().__init__(i=width, o=width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        return m


class Skid(Streams):
    """Two registers whose ready comes from a flip-flop: cuts the path of ready.

    read  see Hold
    """

    def __init__(self, width: int, *, read: int = -1) -> None:
        self.read = width if read < 0 else read
        super().__init__(i=width, o=width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spare = Signal.like(self.i.payload, reset_less=True)
        full = Signal()  # the spare register holds a beat
        m.d.comb += self.i.ready.eq(~full)
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [
                self.o.valid.eq(self.i.valid | full),
                self.o.payload.eq(Mux(full, spare, self.i.payload)),
                full.eq(0),
            ]
        with m.Elif(self.i.valid & ~full):
            m.d.sync += [spare.eq(self.i.payload), full.eq(1)]
        return m
