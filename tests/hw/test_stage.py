"""Constant tables that are read in turn."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from edgeternary_hw.stage import NEAR, Place, table


class Turn(wiring.Component):
    """A table in logic that answers a stage later; `go` moves both of its registers."""

    def __init__(self, words: list[int], width: int) -> None:
        self.words = words
        super().__init__({"go": In(1), "word": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.word.eq(
            table(m, self.words, len(self.word), self.go, place=Place("logic"), later=self.go)
        )
        return m


@pytest.mark.parametrize(("depth", "width"), [(2, NEAR + 1), (5, 3 * NEAR), (3, 5 * NEAR + 7), (18, 30)])
def test_pieces_of_a_wide_table_stay_together(depth: int, width: int) -> None:
    """Each piece has a counter of its own, some words ahead: all show the same word, always."""
    rng = np.random.default_rng(depth)
    words = [int.from_bytes(rng.bytes(width // 8 + 1), "little") % (1 << width) for _ in range(depth)]
    pauses, seen = rng.random(8 * depth) < 0.3, list[int]()
    dut = Turn(words, width)

    async def bench(ctx: object) -> None:
        for pause in pauses:
            ctx.set(dut.go, not pause)  # type: ignore[attr-defined]
            await ctx.tick()  # type: ignore[attr-defined]
            if not pause:
                seen.append(ctx.get(dut.word))  # type: ignore[attr-defined]

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen[1:] == [words[k % depth] for k in range(len(seen) - 1)]
