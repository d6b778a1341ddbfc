"""The network's answer as bytes, with the index of the largest number after it: what a host reads."""

from amaranth import Const, Module, Mux, Signal, Value

from .element import Element, resize
from .stage import Streams, counter

__all__ = ["Answer"]


class Answer(Streams):
    """`count` numbers, one a beat, leave as `size` bytes each: little-endian, two's complement.

    With `index` the index of the largest follows, the lowest one of equals, in one byte (two from 257
    numbers on). A beat of o holds `beat` bytes, a divisor of `size`; what the last one does not need is 0.
    """

    def __init__(self, element: Element, count: int, size: int, *, index: bool, beat: int = 1) -> None:
        if size % beat:
            raise ValueError(f"{size} bytes do not leave {beat} a beat")
        self.element, self.count, self.size, self.index, self.beat = element, count, size, index, beat
        super().__init__(i=element.width, o=8 * beat)

    @property
    def number_beats(self) -> int:
        """Beats of a number."""
        return self.size // self.beat

    @property
    def index_beats(self) -> int:
        return -(-self.index_bytes // self.beat)

    @property
    def beats(self) -> int:
        """Beats of an answer."""
        return self.count * self.number_beats + self.index_beats

    @property
    def eager(self) -> bool:
        """Whether the index is chosen while the last number is compared, which no beat is left to wait for.

        That is a longer path, which a beat of one byte, that no one asked to hurry, does without.
        """
        return self.number_beats == 1 and self.beat > 1

    @property
    def index_bytes(self) -> int:
        return (1 if self.count <= 256 else 2) if self.index else 0

    @property
    def longest(self) -> int:
        """Beats of a number or of the index, whichever has more."""
        return max(self.number_beats, self.index_beats)

    @property
    def rest_bits(self) -> int:
        """Of the register that a number waits in while it leaves."""
        return 8 * self.beat * self.longest

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(self.longest + 1))  # beats of `rest` still to be sent
        rest = Signal(self.rest_bits, reset_less=True)
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
            m.d.sync += [left.eq(left - 1), rest.eq(rest >> 8 * self.beat)]
        with m.If(accept):
            m.d.sync += [left.eq(self.number_beats), rest.eq(number)]
        if self.index:
            best, settled = self._best(m, accept, at)
            with m.If(accept & last):
                m.d.sync += pending.eq(1)
            with m.If(pending & settled & ((left == 0) | ((left == 1) & self.o.ready))):
                m.d.sync += [left.eq(self.index_beats), rest.eq(best), pending.eq(0)]
        return m

    def _best(self, m: Module, accept: Value, at: Value) -> tuple[Value, Value]:
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
        larger = fresh & ((place == 0) | (new > highest))
        with m.If(larger):
            m.d.sync += [highest.eq(new), best.eq(place)]
        return (Mux(larger, place, best), Const(1)) if self.eager else (best, ~fresh)
