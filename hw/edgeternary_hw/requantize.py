"""Rescaling to few bits: y = clamp(((x * m[c] + b[c]) >> s[c]) + zero, lo, hi), without a multiplier."""

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Value

from .element import Element, lanes, resize
from .fields import Fields
from .signed_digits import sums
from .stage import Memories, MemorySize, Streams, mapped

__all__ = ["Requantize", "product"]


def product(x: Value, m: Value) -> list[Value]:
    """Numbers that make x * m together: of a constant m shifted copies of x for its signed digits, some added
    up already; else one number, the sum of copies that the bits of m select."""
    if isinstance(m, Const):
        return [part.number for part in sums(x, m.value)]
    terms = [Mux(m[k], x << k, 0) for k in range(len(m))]
    if m.shape().signed:
        terms[-1] = -terms[-1]
    return [sum(terms[1:], terms[0])]


class Requantize(Memories, Streams):
    """`lanes` channels a beat; `columns`: m, b, s of each channel. Rounding is the caller's: a half is in b.

    twice: of each channel, whether a product that is not negative gets 2^31 before the shift: two roundings
    need that.

    m of +-1 and 0 costs nothing but a shift and an addition; another m that all channels share costs an adder
    for each further signed digit, and m that differ one for each bit.
    """

    def __init__(
        self,
        columns: tuple[Sequence[int], Sequence[int], Sequence[int]],
        zero: int,
        bounds: tuple[int, int],
        source: Element,
        target: Element,
        *,
        lanes: int,
        twice: Sequence[bool] = (),
    ) -> None:
        m, b, s = columns
        self.shift = int(min(s))  # of all channels; the columns have what is beyond it
        self.columns = [[int(v) for v in column] for column in (m, b, [v - self.shift for v in s])]
        if any(twice):
            self.columns.append([int(v) for v in twice])
        self.zero, self.bounds = zero, bounds
        self.source, self.target, self.lanes = source, target, lanes
        super().__init__(i=lanes * source.width, o=lanes * target.width)

    @property
    def stages(self) -> int:
        """Registers between the product and the clamp."""
        constant = len(set(self.columns[0])) == 1
        return 2 if constant and len(sums(Const(0, 1), self.columns[0][0])) > 1 else 1

    @property
    def memories(self) -> dict[str, MemorySize]:
        width = Fields(self.columns).width * self.lanes
        depth = len(self.columns[0]) // self.lanes
        return {"table": MemorySize(depth, width)} if width and depth > 1 else {}

    def keeps(self, name: str) -> bool:
        return True

    def contents(self, name: str) -> list[int] | None:
        return Fields(self.columns).words(self.lanes)

    def elaborate(self, platform: object) -> Module:
        """Stages: product, if need be its parts added up; addition and shift; clamp."""
        m = Module()
        fields = Fields(self.columns)
        low, high = self.bounds
        size = self.source.width + max(abs(v) for v in self.columns[0]).bit_length() + 1  # of a product
        parts = len(product(Const(0, 1), fields.read(Const(0, fields.width))[0]))

        def read(word: Value) -> list[list[Value]]:
            """m, b, s and perhaps twice of each lane."""
            return [fields.read(part) for part in lanes(word, self.lanes)]

        def multiply(payload: Value, word: Value) -> Value:
            numbers = [self.source.number(code) for code in lanes(payload, self.lanes)]
            products = [p for x, (m, *_) in zip(numbers, read(word), strict=True) for p in product(x, m)]
            return Cat(*(resize(p, size) for p in products), word)

        def gather(value: Value) -> Value:
            end = size * parts * self.lanes
            each = [lanes(of_lane, parts) for of_lane in lanes(value[:end], self.lanes)]
            return Cat(*(sum(found[1:], found[0])[:size] for found in each), value[end:])

        def shift(value: Value) -> Value:
            end = size * self.lanes
            found = []
            for p, (_, b, s, *twice) in zip(lanes(value[:end], self.lanes), read(value[end:]), strict=True):
                total = p.as_signed() + b
                for here in twice:
                    total = total + ((here[0] & ~p[-1]) << 31)
                shifted = (total >> self.shift >> (0 if isinstance(s, Const) else s)) + self.zero
                found.append(resize(shifted, len(shifted) + 1))
            return Cat(*found)

        def clamp(value: Value) -> Value:
            numbers = [code.as_signed() for code in lanes(value, self.lanes)]
            return Cat(*(self.target.code(Mux(x < low, low, Mux(x > high, high, x))) for x in numbers))

        words = fields.words(self.lanes)
        width = fields.width * self.lanes
        stages = [gather, shift, clamp] if parts > 1 else [shift, clamp]
        mapped(m, self, words, width, multiply, *stages)
        return m
