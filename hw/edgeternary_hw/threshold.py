"""Multi-threshold activation: y = base[c] + step[c] * count(x >= t[c][k])."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .element import Element, lanes, resize
from .fields import Fields
from .stage import mapped

__all__ = ["Threshold"]


class Threshold(wiring.Component):
    """`lanes` channels a beat; `thresholds` is channels x K, sorted; `base` and `step` (-2..2) one a channel.

    Thresholds that no input reaches may be any number above the largest input.
    """

    def __init__(
        self,
        thresholds: Sequence[Sequence[int]],
        base: Sequence[int],
        step: Sequence[int],
        source: Element,
        target: Element,
        *,
        lanes: int,
    ) -> None:
        if len(base) % lanes:
            raise ValueError(f"{lanes} lanes do not divide {len(base)} channels")
        self.thresholds = [[int(t) for t in row] for row in thresholds]
        self.base, self.step = [int(b) for b in base], [int(s) for s in step]
        self.source, self.target, self.lanes = source, target, lanes
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * source.width))),
                "o": Out(stream.Signature(unsigned(lanes * target.width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fields = Fields([*zip(*self.thresholds, strict=True), self.base, self.step])
        words = fields.words(self.lanes)
        width = fields.width

        def apply(payload: Value, word: Value) -> Value:
            results = []
            for lane, code in enumerate(lanes(payload, self.lanes)):
                x = self.source.number(code)
                *levels, base, step = fields.read(word[lane * width : (lane + 1) * width] if width else word)
                results.append(
                    self.target.code(base + _times(sum((x >= t for t in levels), Const(0, 1)), step))
                )
            return Cat(*results)

        mapped(m, self.i, self.o, words, max(width * self.lanes, 1), apply)
        return m


def _times(count: Value, step: Value) -> Value:
    """step * count for a step of -2 .. 2, by selection."""
    if isinstance(step, Const):
        return {0: Const(0, signed(2)), 1: count, 2: count << 1, -1: -count, -2: -(count << 1)}[step.value]
    bits = resize(step, 3)
    size = Mux(bits[0], count, Mux(bits[1], count << 1, 0))
    return Mux(bits[2], -size, size)
