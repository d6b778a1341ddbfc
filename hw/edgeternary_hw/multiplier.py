"""A product of two variables by adders alone, a few digits of one factor a cycle; and a part that multiplies.

b is taken apart from its low end into digits -1, 0, +1, +2 of base 4: two bits and a carry make 0 .. 4, of
which 3 is -1 and 4 is 0, both with a carry. A digit costs a LUT4 a bit of a (which of -a, 0, a, 2a: out
of two bits of a and two of the digit) and an adder. Up to CHAIN digits are done in a cycle, with their adders
in a row; where that is too slow, all of them are, in a pipeline of stages of CHAIN digits.
"""

from dataclasses import dataclass

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .element import Element, lanes, resize
from .stage import Streams, counter

__all__ = ["Multiplier", "Multiply", "Speed", "pace", "signed_width", "speed"]

CHAIN = 2  # digits between two registers


@dataclass(frozen=True)
class Speed:
    """digits: in one cycle; steps: cycles from one product to the next; latency: from the factors in their
    registers to a product; stages: of digits, with registers between them."""

    digits: int
    steps: int
    latency: int
    stages: int


def speed(width: int, digits: int) -> Speed:
    """For a two's complement factor of `width` bits where `digits` a cycle were asked for; above CHAIN: all.

    It has width // 2 + 1 digits: the highest must hold copies of the sign alone.
    """
    count = width // 2 + 1
    if digits >= count or digits > CHAIN:
        stages = -(-count // CHAIN)
        return Speed(count, 1, stages, stages)
    steps = -(-count // digits)
    return Speed(digits, steps, steps, 1)


class Multiplier(wiring.Component):
    """product = a * b, both two's complement; `speed` says how many digits of b a cycle takes.

    load_a, load_b   take the factors; a stays, b is used up
    step             digit by digit: in each of `steps` cycles after that; `product` is there in the last one.
                     As a pipeline: all stages move on; `product` is there in the step numbered `latency`.
    """

    def __init__(self, a_width: int, b_width: int, digits: int) -> None:
        self.speed = speed(b_width, digits)
        super().__init__(
            {
                "a": In(signed(a_width)), "b": In(signed(b_width)),
                "load_a": In(1), "load_b": In(1), "step": In(1),
                "product": Out(signed(a_width + b_width)),
            }
        )  # fmt: skip

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width, speed = len(self.a), self.speed
        factor = Signal(signed(width), reset_less=True)
        rest = Signal(2 * speed.digits * speed.steps, reset_less=True)  # of b; the product comes in above it
        high, carried = Signal(signed(width), reset_less=True), Signal(reset_less=True)
        again = speed.steps > 1
        stage = factor, rest, *((high, carried) if again else (Const(0, signed(width)), Const(0, 1)))
        for k in range(speed.stages):
            digits = speed.digits if again else min(CHAIN, speed.digits - CHAIN * k)
            stage = stage[0], *_digits(*stage, digits)
            if k < speed.stages - 1:
                kept = [Signal(value.shape(), name=f"stage{k}", reset_less=True) for value in stage]
                with m.If(self.step):
                    m.d.sync += [register.eq(value) for register, value in zip(kept, stage, strict=True)]
                stage = tuple(kept)
        _, now, sum_, carry = stage
        m.d.comb += self.product.eq(Cat(now, sum_))
        if again:
            with m.If(self.step):
                m.d.sync += [rest.eq(now), high.eq(sum_), carried.eq(carry)]
        with m.If(self.load_a):
            m.d.sync += factor.eq(self.a)
        with m.If(self.load_b):
            m.d.sync += [rest.eq(self.b), high.eq(0), carried.eq(0)]
        return m


def pace(m: Module, unit: Multiplier, there: Value, free: Value) -> tuple[Value, Value, Value]:
    """Drives `step` while both factors are `there`, and while a product that is done is `free` to go.

    Returns (used, done, busy): the factors in the registers are used up with this cycle, the product is there
    and goes, something is on its way.
    """
    if unit.speed.steps > 1:
        _, last = counter(m, unit.speed.steps, unit.step, "step")
        m.d.comb += unit.step.eq(there & (~last | free))
        return unit.step & last, unit.step & last, there
    follow = Signal(unit.speed.stages - 1)  # the stages after the factors that hold something
    stages = Cat(there, follow)
    m.d.comb += unit.step.eq(free)
    with m.If(free):
        m.d.sync += follow.eq(stages)
    return there & free, stages[-1] & free, stages.any()


def _digits(a: Value, rest: Value, total: Value, carry: Value, digits: int) -> tuple[Value, Value, Value]:
    """(rest, total, carry) after `digits` digits of rest; two bits of the product for each come in on top."""
    low = []
    for k in range(digits):
        added, carry = _digit(a, total, rest[2 * k : 2 * k + 2], carry)
        low.append(added[:2])
        total = added[2:].as_signed()
    return Cat(rest[2 * digits :], *low), total, carry


def _digit(a: Value, total: Value, bits: Value, carry: Value) -> tuple[Value, Value]:
    """total + digit * a, two bits wider than a, and the carry into the next digit."""
    low, high = bits[0] ^ carry, bits[1] ^ (bits[0] & carry)
    negative, width = low & high, len(a) + 2
    chosen = resize(Mux(high, Mux(low, ~a, a << 1), Mux(low, a, 0)), width)
    added = Cat(Const(1, 1), total).as_signed() + Cat(negative, chosen).as_signed()  # -a is ~a + 1
    return added[1 : width + 1], bits[1] & (bits[0] | carry)


class Multiply(Streams):
    """o = i0 * i1, channel by channel; `speed` says how many digits of the narrower factor a cycle takes."""

    def __init__(
        self, first: Element, second: Element, target: Element, *, lanes: int, digits: int = 1
    ) -> None:
        self.first, self.second, self.target, self.lanes = first, second, target, lanes
        widths = [signed_width(first), signed_width(second)]
        self.swapped = widths[0] < widths[1]
        self.a_width, self.b_width = sorted(widths, reverse=True)
        self.speed = speed(self.b_width, digits)
        super().__init__(i0=lanes * first.width, i1=lanes * second.width, o=lanes * target.width)

    def elaborate(self, platform: object) -> Module:
        """Each factor waits in the multiplier for the other one; both are replaced when they are used up."""
        m = Module()
        units = [Multiplier(self.a_width, self.b_width, self.speed.digits) for _ in range(self.lanes)]
        there, used, finished, free = Signal(2), Signal(), Signal(), Signal()
        found = pace(m, units[0], there.all(), free)
        m.d.comb += [unit.step.eq(units[0].step) for unit in units[1:]]
        m.d.comb += [
            free.eq(~self.o.valid | self.o.ready),
            used.eq(found[0]),
            finished.eq(found[1]),
            self.i0.ready.eq(~there[0] | used),
            self.i1.ready.eq(~there[1] | used),
        ]
        taken = Cat(port.valid & port.ready for port in (self.i0, self.i1))
        m.d.sync += there.eq(taken | (there & ~used.replicate(2)))
        with m.If(free):
            m.d.sync += self.o.valid.eq(finished)
        products = []
        for k, unit in enumerate(units):
            m.submodules[f"product{k}"] = unit
            factors = [
                element.number(lanes(port.payload, self.lanes)[k])
                for element, port in ((self.first, self.i0), (self.second, self.i1))
            ]
            a, b = reversed(factors) if self.swapped else factors
            m.d.comb += [
                unit.a.eq(a), unit.b.eq(b),
                unit.load_a.eq(taken[int(self.swapped)]), unit.load_b.eq(taken[1 - int(self.swapped)]),
            ]  # fmt: skip
            products.append(self.target.code(unit.product))
        with m.If(finished):
            m.d.sync += self.o.payload.eq(Cat(*products))
        return m


def signed_width(element: Element) -> int:
    """Bits of two's complement for every number of an element."""
    return {"unsigned": element.width + 1, "bipolar": 2}.get(element.kind, element.width)
