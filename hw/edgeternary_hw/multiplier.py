"""A product of two variables by adders alone, a few digits of one factor a cycle; and a part that multiplies.

b is taken apart from its low end into digits -1, 0, +1, +2 of base 4: two bits and a carry make 0 .. 4, of
which 3 is -1 and 4 is 0, both with a carry. A digit costs a LUT4 a bit of a (which of -a, 0, a, 2a: out
of two bits of a and two of the digit) and an adder.
"""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .element import Element, lanes, resize
from .stage import counter

__all__ = ["Multiplier", "Multiply", "signed_width", "speed"]


def speed(width: int, digits: int) -> tuple[int, int]:
    """(digits a cycle, cycles) for a two's complement factor of `width` bits where `digits` were asked for.

    It has width // 2 + 1 digits: the highest must hold copies of the sign alone.
    """
    count = width // 2 + 1
    digits = min(digits, count)
    return digits, -(-count // digits)


class Multiplier(wiring.Component):
    """product = a * b, both two's complement, `digits` of b a cycle.

    load_a, load_b   take the factors; a stays, b is used up
    step             in each of `steps` cycles after that; `product` is there in the last of them
    """

    def __init__(self, a_width: int, b_width: int, digits: int) -> None:
        self.digits, self.steps = speed(b_width, digits)
        super().__init__(
            {
                "a": In(signed(a_width)), "b": In(signed(b_width)),
                "load_a": In(1), "load_b": In(1), "step": In(1),
                "product": Out(signed(a_width + b_width)),
            }
        )  # fmt: skip

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.a)
        factor = Signal(signed(width), reset_less=True)
        rest = Signal(2 * self.digits * self.steps, reset_less=True)  # of b; the product comes in above it
        sum_, carry = Const(0, signed(width)), Const(0, 1)
        high, carried = Signal(signed(width), reset_less=True), Signal(reset_less=True)
        if self.steps > 1:
            sum_, carry = high, carried
        low = []
        for k in range(self.digits):
            total, carry = _digit(factor, sum_, rest[2 * k : 2 * k + 2], carry)
            low.append(total[:2])
            sum_ = total[2:].as_signed()
        now = Cat(rest[2 * self.digits :], *low)
        m.d.comb += self.product.eq(Cat(now, sum_))
        with m.If(self.step):
            m.d.sync += [rest.eq(now), high.eq(sum_), carried.eq(carry)]
        with m.If(self.load_a):
            m.d.sync += factor.eq(self.a)
        with m.If(self.load_b):
            m.d.sync += [rest.eq(self.b), high.eq(0), carried.eq(0)]
        return m


def _digit(a: Value, total: Value, bits: Value, carry: Value) -> tuple[Value, Value]:
    """total + digit * a, two bits wider than a, and the carry into the next digit."""
    low, high = bits[0] ^ carry, bits[1] ^ (bits[0] & carry)
    negative, width = low & high, len(a) + 2
    chosen = resize(Mux(high, Mux(low, ~a, a << 1), Mux(low, a, 0)), width)
    added = Cat(Const(1, 1), total).as_signed() + Cat(negative, chosen).as_signed()  # -a is ~a + 1
    return added[1 : width + 1], bits[1] & (bits[0] | carry)


class Multiply(wiring.Component):
    """o = i0 * i1, channel by channel, `digits` digits of the narrower factor a cycle."""

    def __init__(
        self, first: Element, second: Element, target: Element, *, lanes: int, digits: int = 1
    ) -> None:
        self.first, self.second, self.target, self.lanes = first, second, target, lanes
        widths = [signed_width(first), signed_width(second)]
        self.swapped = widths[0] < widths[1]
        self.a_width, self.b_width = sorted(widths, reverse=True)
        self.digits, self.steps = speed(self.b_width, digits)
        super().__init__(
            {
                "i0": In(stream.Signature(unsigned(lanes * first.width))),
                "i1": In(stream.Signature(unsigned(lanes * second.width))),
                "o": Out(stream.Signature(unsigned(lanes * target.width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Each factor waits in the multiplier for the other one; both are replaced in the last step."""
        m = Module()
        there = Signal(2)
        step, finished = Signal(), Signal()
        _, last = counter(m, self.steps, step, "step")
        m.d.comb += [
            step.eq(there.all() & (~last | ~self.o.valid | self.o.ready)),
            finished.eq(step & last),
            self.i0.ready.eq(~there[0] | finished),
            self.i1.ready.eq(~there[1] | finished),
        ]
        taken = Cat(port.valid & port.ready for port in (self.i0, self.i1))
        m.d.sync += there.eq(taken | (there & ~finished.replicate(2)))
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += self.o.valid.eq(finished)
        products = []
        for k in range(self.lanes):
            unit = Multiplier(self.a_width, self.b_width, self.digits)
            m.submodules[f"product{k}"] = unit
            factors = [
                element.number(lanes(port.payload, self.lanes)[k])
                for element, port in ((self.first, self.i0), (self.second, self.i1))
            ]
            a, b = reversed(factors) if self.swapped else factors
            m.d.comb += [
                unit.a.eq(a), unit.b.eq(b), unit.step.eq(step),
                unit.load_a.eq(taken[int(self.swapped)]), unit.load_b.eq(taken[1 - int(self.swapped)]),
            ]  # fmt: skip
            products.append(self.target.code(unit.product))
        with m.If(finished):
            m.d.sync += self.o.payload.eq(Cat(*products))
        return m


def signed_width(element: Element) -> int:
    """Bits of two's complement for every number of an element."""
    return {"unsigned": element.width + 1, "bipolar": 2}.get(element.kind, element.width)
