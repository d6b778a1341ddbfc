"""The direction of a vector: y = 2^15 x / |x|, integers throughout, without a multiplier.

S = sum x^2,  f = floor(S / 4^h) with 2^14 <= f < 2^16,  r = the largest integer with r^2 f < 2^46
y = clamp((x * r) >> (h + 8), -32767, 32767)
"""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.utils import ceil_log2

from .element import Element
from .multiplier import Multiplier, pace, signed_width, speed
from .root import BITS, ReciprocalRoot
from .stage import Memories, MemorySize, Streams, ram

__all__ = ["RmsNorm"]

LEAST_H = -7  # of S = 1
TOP = (1 << 15) - 1  # |y|


class RmsNorm(Memories, Streams):
    """Vectors of `channels` numbers within [-most, most], one a beat, to numbers of 16 bits, signed.

    One vector after the other: its numbers come in and are squared, then the root is taken, then they leave
    scaled. One multiplier does both; `speed` says how many digits a cycle it takes.
    """

    def __init__(self, element: Element, channels: int, most: int, *, digits: int = 1) -> None:
        self.element, self.channels = element, channels
        self.factor = signed_width(element)
        self.speed = speed(self.factor, digits)
        total = (channels * most * most).bit_length()
        self.most_h = max(-(-(total - BITS) // 2), 0)
        super().__init__(i=element.width, o=16)

    @property
    def pause(self) -> int:
        """Cycles from the last number in to the first one out."""
        return 2 * self.speed.latency + self.most_h - LEAST_H + ReciprocalRoot.CYCLES + 8

    @property
    def interval(self) -> int:
        """Cycles a vector takes when nothing waits."""
        return 2 * (self.channels - 1) * self.speed.steps + self.pause - 1

    KEPT = ("vector",)

    @property
    def memories(self) -> dict[str, MemorySize]:
        return {"vector": MemorySize(1 << max(ceil_log2(self.channels), 1), self.element.width, True)}

    def elaborate(self, platform: object) -> Module:
        """Loading and scaling are passes through the same multiplier, whose product is kept once more."""
        m = Module()
        unit = Multiplier(max(BITS + 1, self.factor), self.factor, self.speed.digits)
        m.submodules.product, m.submodules.root = unit, (root := ReciprocalRoot())
        scaling, working = Signal(), Signal()  # the pass; between the two the root is being taken
        kept = Signal(signed(len(unit.product)), reset_less=True)
        holds, there, consumed = Signal(), Signal(), Signal()  # factors; a product; it goes on in this cycle
        free, load, ended = Signal(), Signal(), Signal()
        used, done, busy = pace(m, unit, holds, ~there | consumed)
        number, empty = self._numbers(m, scaling, working, load, free, ended)
        m.d.comb += [
            free.eq(~holds | used),
            ended.eq(empty & ~busy & there & consumed),
            unit.load_a.eq(load),
            unit.load_b.eq(load),
            unit.a.eq(Mux(scaling, Cat(root.r, Const(0, 1)).as_signed(), number)),
            unit.b.eq(number),
        ]
        m.d.sync += [holds.eq(load | (holds & ~used)), there.eq(done | (there & ~consumed))]
        with m.If(done):
            m.d.sync += kept.eq(unit.product)
        shift = self._root(m, root, scaling, working, there, kept, ended)
        m.d.comb += consumed.eq(~scaling | self._leave(m, scaling & there, kept, shift))
        return m

    def _numbers(
        self, m: Module, scaling: Signal, working: Signal, load: Signal, free: Signal, ended: Signal
    ) -> tuple[Value, Value]:
        """The number that goes into the multiplier with `load`, and whether the pass has no more of them."""
        at, all_ = Signal(ceil_log2(self.memories["vector"].depth)), Signal()
        accept, fetch, move, read, ahead = (Signal() for _ in range(5))
        write = (at, self.i.payload, accept)
        (data,) = ram(m, self.element.width, write, [(at, fetch)], "vector", self.place("vector"))
        word = Signal(self.element.width, reset_less=True)  # what was read, kept
        m.d.comb += [
            self.i.ready.eq(~scaling & ~working & ~all_ & free),
            accept.eq(self.i.valid & self.i.ready),
            load.eq(Mux(scaling, ahead & free, accept)),
            move.eq(read & (~ahead | load)),
            fetch.eq(scaling & ~all_ & (~read | move)),
        ]
        m.d.sync += [read.eq(fetch | (read & ~move)), ahead.eq(move | (ahead & ~load))]
        with m.If(move):
            m.d.sync += word.eq(data)
        with m.If(ended):
            m.d.sync += [at.eq(0), all_.eq(0)]
        with m.Elif(accept | fetch):
            m.d.sync += [at.eq(at + 1), all_.eq(at == self.channels - 1)]
        return self.element.number(Mux(scaling, word, self.i.payload)), all_ & ~read & ~ahead

    def _root(
        self,
        m: Module,
        root: ReciprocalRoot,
        scaling: Signal,
        working: Signal,
        there: Signal,
        kept: Value,
        ended: Value,
    ) -> Value:
        """Sums the squares, and starts the root when it can begin; returns h + 8. Without a number that is
        not 0 neither matters."""
        total = Signal(BITS + 2 * self.most_h, reset_less=True)
        shift = Signal(range(self.most_h + 9), init=self.most_h + 8, reset_less=True)
        last = self.most_h - LEAST_H + ReciprocalRoot.CYCLES
        wait = Signal(range(last + 1))
        m.d.comb += [root.f.eq(total[-BITS:]), root.start.eq(wait == ReciprocalRoot.CYCLES)]
        with m.If(ended):
            m.d.sync += [scaling.eq(0), working.eq(~scaling), wait.eq(last)]
        with m.Elif(wait == 0):
            m.d.sync += [scaling.eq(scaling | working), working.eq(0)]
        with m.Else():
            m.d.sync += wait.eq(wait - 1)
        with m.If(working & ~total[-2:].any()):
            m.d.sync += [total.eq(total << 2), shift.eq(shift - 1)]
        with m.If(~scaling & there):
            m.d.sync += total.eq(total + kept.as_unsigned())
        with m.If(scaling & ended):
            m.d.sync += [total.eq(0), shift.eq(self.most_h + 8)]
        return shift

    def _leave(self, m: Module, there: Value, kept: Value, shift: Value) -> Value:
        """The products, shifted and then clamped; whether one is taken."""
        shifted, some, free = Signal(signed(17), reset_less=True), Signal(), Signal()
        m.d.comb += free.eq(~self.o.valid | self.o.ready)
        take = ~some | free
        m.d.sync += some.eq(there | (some & ~free))
        with m.If(take):
            m.d.sync += shifted.eq(kept >> shift)
        with m.If(free):
            m.d.sync += [self.o.valid.eq(some), self.o.payload.eq(_clamped(shifted))]
        return take


def _clamped(number: Value) -> Value:
    """A number of 17 bits within [-TOP, TOP]."""
    least = number[15] & ~number[:15].any()
    beyond = (number[15] ^ number[16]) | least
    return Mux(beyond, Mux(number[16], -TOP & 0xFFFF, TOP), number[:16])
