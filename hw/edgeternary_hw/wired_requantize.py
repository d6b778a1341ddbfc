"""Rescaling to few bits in one clock: the constants of every channel are wires."""

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Value

from .element import Element, lanes
from .signed_digits import sums
from .wired import Registered

__all__ = ["WiredRequantize"]


class WiredRequantize(Registered):
    """y[c] = clamp(((x[c] * m[c] + b[c]) >> s[c]) + zero, lo, hi) for all channels at once.

    Rounding is the caller's: a half is part of b. A product is a sum of shifted copies of x, one for each
    signed digit of m[c]. twice: of each channel, whether a product that is not negative gets 2^31.
    """

    def __init__(
        self,
        columns: tuple[Sequence[int], Sequence[int], Sequence[int]],
        zero: int,
        bounds: tuple[int, int],
        source: Element,
        target: Element,
        twice: Sequence[bool] = (),
    ) -> None:
        self.columns = [[int(v) for v in column] for column in columns]  # m, b, s
        self.twice = tuple(twice) or (False,) * len(columns[0])
        self.zero, self.bounds, self.source, self.target = zero, bounds, source, target
        count = len(self.columns[0])
        super().__init__(count * source.width, count * target.width)

    def function(self, m: Module, payload: Value) -> Value:
        codes = lanes(payload, len(self.columns[0]))
        rows = zip(codes, *self.columns, self.twice, strict=True)
        return Cat(*(self._rescaled(self.source.number(code), *row) for code, *row in rows))

    def _rescaled(self, x: Value, factor: int, bias: int, shift: int, twice: bool) -> Value:
        low, high = self.bounds
        total: Value = Const(bias)
        for part in sums(x, factor):
            total = total + part.number
        if twice:
            total = total + Mux(x < 0 if factor > 0 else x > 0, 0, 1 << 31)
        y = (total >> shift) + self.zero
        return self.target.code(Mux(y < low, low, Mux(y > high, high, y)))
