"""Layers whose weights are wires: a whole vector a cycle, one register after each layer.

Nothing is folded and nothing is stored, so an answer takes as many clocks as there are layers. For networks
of some thousand weights, such as a control policy; beyond that a MatrixVector is smaller.
"""

from collections.abc import Sequence

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned

from .element import Element, lanes, resize
from .stage import Streams

__all__ = ["Registered", "WiredArgMax", "WiredDense", "WiredThreshold"]


class Registered(Streams):
    """A function of a beat, with one register at its end."""

    def __init__(self, i_width: int, o_width: int) -> None:
        super().__init__(i=i_width, o=o_width)

    def function(self, m: Module, payload: Value) -> Value:
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.function(m, self.i.payload))]
        return m


class WiredDense(Registered):
    """y[r] = sum_c weights[r][c] * x[c] + bias[r] for weights of -1, 0, +1; `out_width` bits signed each.

    A row adds the bits of its inputs (u of Element, or its complement where the weight is -1) plane by plane.
    """

    def __init__(
        self, weights: Sequence[Sequence[int]], bias: Sequence[int], element: Element, out_width: int
    ) -> None:
        self.weights = [[int(w) for w in row] for row in weights]
        self.bias, self.element, self.out_width = [int(b) for b in bias], element, out_width
        if any(abs(w) > 1 for row in self.weights for w in row):
            raise ValueError("wired weights are -1, 0 or +1")
        super().__init__(len(self.weights[0]) * element.width, len(self.weights) * out_width)

    def function(self, m: Module, payload: Value) -> Value:
        codes = lanes(payload, len(self.weights[0]))
        numbers = [self._number(code) for code in codes]
        rows = []
        for r, (row, bias) in enumerate(zip(self.weights, self.bias, strict=True)):
            plus = [u for u, w in zip(numbers, row, strict=True) if w == 1]
            minus = [~u for u, w in zip(numbers, row, strict=True) if w == -1]
            full = (1 << self.element.width) - 1  # ~u = full - u
            constant = bias + self.element.offset * sum(row) - self.element.scale * full * len(minus)
            total = Signal(unsigned(max((full * (len(plus) + len(minus))).bit_length(), 1)), name=f"count{r}")
            m.d.comb += total.eq(_sum([*plus, *minus]))
            scaled = total << (self.element.scale - 1)
            rows.append(resize(Cat(scaled, Const(0, 1)).as_signed() + Const(constant), self.out_width))
        return Cat(*rows)

    def _number(self, code: Value) -> Value:
        return Cat(*(~bit if inverted else bit for bit, inverted in self.element.planes(code)))


class WiredThreshold(Registered):
    """y[c] = base[c] + step[c] * count(x[c] >= t[c][k]) for all channels at once."""

    def __init__(
        self,
        thresholds: Sequence[Sequence[int]],
        base: Sequence[int],
        step: Sequence[int],
        source: Element,
        target: Element,
    ) -> None:
        self.thresholds = [[int(t) for t in row] for row in thresholds]
        self.base, self.step = [int(b) for b in base], [int(s) for s in step]
        self.source, self.target = source, target
        super().__init__(len(self.base) * source.width, len(self.base) * target.width)

    def function(self, m: Module, payload: Value) -> Value:
        found = []
        for code, row, base, step in zip(
            lanes(payload, len(self.base)), self.thresholds, self.base, self.step, strict=True
        ):
            number = self.source.number(code)
            y: Value = Const(self.target.encode(base), self.target.width)
            for k, t in enumerate(row):
                reached = Const(self.target.encode(base + step * (k + 1)), self.target.width)
                y = Mux(number >= t, reached, y)  # thresholds ascend, so that the last one reached decides
            found.append(y)
        return Cat(*found)


class WiredArgMax(Registered):
    """The index of the largest of all channels of a beat; the lowest one of equals."""

    def __init__(self, element: Element, channels: int, out_width: int) -> None:
        self.element, self.channels, self.out_width = element, channels, out_width
        super().__init__(channels * element.width, out_width)

    def function(self, m: Module, payload: Value) -> Value:
        rivals = [
            (self.element.number(code), Value.cast(Const(k, self.out_width)))
            for k, code in enumerate(lanes(payload, self.channels))
        ]
        while len(rivals) > 1:
            pairs = zip(rivals[::2], rivals[1::2], strict=False)
            left = [(Mux(b[0] > a[0], b[0], a[0]), Mux(b[0] > a[0], b[1], a[1])) for a, b in pairs]
            rivals = left + rivals[len(rivals) - len(rivals) % 2 :]
        return rivals[0][1]


def _sum(numbers: Sequence[Value]) -> Value:
    """A balanced tree of adders."""
    if not numbers:
        return Const(0, 1)
    while len(numbers) > 1:
        pairs = [a + b for a, b in zip(numbers[::2], numbers[1::2], strict=False)]
        numbers = [*pairs, *numbers[len(numbers) - len(numbers) % 2 :]]
    return numbers[0]
