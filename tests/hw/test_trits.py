"""Five ternary numbers a byte: all 243 combinations, and the decoder against the code."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from amaranth import Elaboratable, Module, Signal
from amaranth.sim import Simulator

from edgeternary_hw.trits import decoded, pack, unpack


def test_every_combination_has_a_byte_that_gives_it_back() -> None:
    bytes_seen = set()
    for numbers in itertools.product((-1, 0, 1), repeat=5):
        code = pack(numbers)
        assert 0 <= code < 256 and unpack(code) == [n % 3 for n in numbers]
        bytes_seen.add(code)
    assert len(bytes_seen) == 243
    assert pack([1, -1, 0, 0, 1, -1, 1]) == pack([1, -1, 0, 0, 1]) | pack([-1, 1, 0, 0, 0]) << 8


def test_the_decoder_on_every_byte() -> None:
    class Decoder(Elaboratable):
        def __init__(self) -> None:
            self.word, self.plus, self.minus = Signal(16), Signal(7), Signal(7)

        def elaborate(self, platform: object) -> Module:
            m = Module()
            plus, minus = decoded(self.word, 7)
            m.d.comb += [self.plus.eq(plus), self.minus.eq(minus)]
            return m

    decoder, second = Decoder(), np.random.default_rng(0).permutation(256).tolist()

    async def check(ctx: Any) -> None:
        for low in range(256):
            ctx.set(decoder.word, low | second[low] << 8)
            plus, minus = ctx.get(decoder.plus), ctx.get(decoder.minus)
            found = [(plus >> k & 1) + 2 * (minus >> k & 1) for k in range(7)]
            assert found == unpack(low) + unpack(second[low])[:2]

    simulator = Simulator(decoder)
    simulator.add_testbench(check)
    simulator.run()
