"""The loader at full rate, a byte a cycle, and with pauses; each planted fault is seen at full rate."""

from __future__ import annotations

import inspect
import random
import types
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from edgeternary_hw import Loader, loader

# depths of the columns in turn: one word, equal ones, one much longer, a power of two and its neighbours
SHAPES = ((1,), (1, 1), (37, 37, 5), (5, 1, 9), (16, 15, 17), (3, 3, 3, 3), (2, 8, 2, 1))
PATIENCE = 20  # cycles after the last byte


def watched(kind: Any, depths: Sequence[int], stall: float, data: bytes) -> str:
    """What is wrong with a loader that gets `data`, pausing with the chance `stall`; "" for nothing.

    Looked at are the words that it writes, the bytes that it takes, and whether it is soon done.
    """
    words = np.frombuffer(data, "<u2").tolist()
    wanted = [(k, at, words.pop(0)) for k, depth in enumerate(depths) for at in range(depth)]
    part, chance = kind(depths, zlib.crc32(data)), random.Random(1)
    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    problems: list[str] = []

    async def bench(ctx: Any) -> None:
        at = late = 0
        found: list[tuple[int, int, int]] = []
        bus = part.bus
        for _ in range(int(4 * len(data) / (1 - stall)) + PATIENCE):
            valid = chance.random() >= stall
            ctx.set(part.i.valid, valid)
            ctx.set(part.i.payload, data[at % len(data)])
            _, _, ready, write, address, word, loaded, failed = await ctx.tick().sample(
                part.i.ready, bus.write, bus.address, bus.data, part.loaded, part.failed
            )
            found += [(k, address, word) for k in range(len(depths)) if write >> k & 1]
            at += valid and ready
            late += at >= len(data)
            if failed or (loaded and late > PATIENCE):
                break
        problems.extend(
            text
            for text, wrong in (
                ("refused", failed),
                (f"not done after {at} of {len(data)} bytes", not (loaded or failed)),
                (f"took {at} of {len(data)} bytes", at != len(data)),
                ("other words", found != wanted),
            )
            if wrong
        )

    simulator.add_testbench(bench)
    simulator.run()
    return "; ".join(problems)


def contents(depths: Sequence[int]) -> bytes:
    return np.random.default_rng(sum(depths)).bytes(2 * sum(depths))


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("depths", SHAPES)
def test_every_word_arrives(depths: tuple[int, ...], stall: float) -> None:
    assert watched(Loader, depths, stall, contents(depths)) == ""


def test_it_is_done_two_cycles_after_the_last_byte() -> None:
    part, data = Loader((2, 3), 0), bytes(10)
    simulator = Simulator(part)
    simulator.add_clock(1e-6)

    async def bench(ctx: Any) -> None:
        ctx.set(part.i.valid, 1)
        for _ in range(len(data)):
            assert ctx.get(part.i.ready)
            await ctx.tick()
        for ended in (False, True):
            assert not ctx.get(part.i.ready)
            assert bool(ctx.get(part.failed)) == ended
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()


FAULTS = {
    "a byte is lost at the end of a column": (
        "take.eq(self.i.valid & self.i.ready)",
        "take.eq(self.i.valid & self.i.ready & ~(strobe & end))",
    ),
    "one byte too many is taken": ("self.i.ready.eq(~done & ~finished)", "self.i.ready.eq(~done)"),
    "columns are not left": ("column.eq(column << 1)", "column.eq(column)"),
    "addresses go on in the next column": ("Mux(end, 0, bus.address + 1)", "bus.address + 1"),
    "words are written after half of them": ("strobe.eq(take & high)", "strobe.eq(take)"),
    "the halves are the wrong way round": ("with m.If(high):", "with m.If(~high):"),
    "the CRC is not inverted": ("self.crc ^ 0xFFFFFFFF", "self.crc"),
    "it is never done": ("done.eq(1), self.loaded.eq(right)", "done.eq(1), self.loaded.eq(0)"),
    "a column ends early": ("bus.address == depth - 1", "bus.address == depth - 2"),
    "the longest column ends all": ("finished.eq(strobe & end & column[-1])", "finished.eq(strobe & end)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen_at_full_rate(fault: str) -> None:
    text, wrong = inspect.getsource(loader), FAULTS[fault]
    assert text.count(wrong[0]) == 1
    module = types.ModuleType("edgeternary_hw.wrong_loader")
    module.__package__ = "edgeternary_hw"
    exec(text.replace(*wrong), module.__dict__)
    depths = (5, 2, 9)
    assert watched(module.Loader, depths, 0.0, contents(depths))
