"""Rescaling to few bits: y = clamp(((x * m[c] + b[c]) >> s[c]) + zero, lo, hi), without a multiplier."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .element import Element, lanes
from .fields import Fields
from .stage import mapped

__all__ = ["Requantize", "product"]


def product(x: Value, m: Value) -> Value:
    """x * m as shifted copies of x: those of the set bits of a constant, else selected by the bits of m."""
    if isinstance(m, Const):
        size = abs(m.value)
        terms = [x << k for k in range(size.bit_length()) if size >> k & 1]
        total = sum(terms[1:], terms[0]) if terms else Const(0, 1)
        return -total if m.value < 0 else total
    terms = [Mux(m[k], x << k, 0) for k in range(len(m))]
    if m.shape().signed:
        terms[-1] = -terms[-1]
    return sum(terms[1:], terms[0])


class Requantize(wiring.Component):
    """`lanes` channels a beat; m, b and s one a channel. Rounding is the caller's: a half is part of b.

    m of +-1 and 0 costs nothing but a shift and an addition; other m cost an adder for each of their bits.
    """

    def __init__(
        self,
        m: Sequence[int],
        b: Sequence[int],
        s: Sequence[int],
        zero: int,
        bounds: tuple[int, int],
        source: Element,
        target: Element,
        *,
        lanes: int,
    ) -> None:
        self.columns = [[int(v) for v in column] for column in (m, b, s)]
        self.zero, self.bounds = zero, bounds
        self.source, self.target, self.lanes = source, target, lanes
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * source.width))),
                "o": Out(stream.Signature(unsigned(lanes * target.width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        module = Module()
        fields = Fields(self.columns)
        width = fields.width
        low, high = self.bounds

        def apply(payload: Value, word: Value) -> Value:
            results = []
            for lane, code in enumerate(lanes(payload, self.lanes)):
                m, b, s = fields.read(word[lane * width : (lane + 1) * width] if width else word)
                total = product(self.source.number(code), m) + b
                shifted = (total >> s.value if isinstance(s, Const) else total >> s) + self.zero
                clamped = Signal(signed(len(shifted) + 1), name=f"scaled{lane}")
                module.d.comb += clamped.eq(shifted)
                results.append(self.target.code(Mux(clamped < low, low, Mux(clamped > high, high, clamped))))
            return Cat(*results)

        mapped(module, self.i, self.o, fields.words(self.lanes), max(width * self.lanes, 1), apply)
        return module
