"""The three ways to count thresholds, on every input: the same codes, in the cycles that they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.need import need

BITS = 5


def cases() -> list[tuple[int, int, str, bool]]:
    """The last: with block RAMs that answer late."""
    return [
        (k, lanes, mode, late)
        for k in (1, 2, 3, 7, 15)
        for lanes in (1, 2)
        for mode in ("parallel", "tree", "serial")
        for late in (False, True)
    ]


@pytest.mark.parametrize(("count", "lanes", "mode", "late"), cases())
def test_every_input_of_every_channel(count: int, lanes: int, mode: str, late: bool) -> None:
    need("amaranth")
    from amaranth.sim import Simulator

    from edgeternary_hw import Element, Threshold
    from edgeternary_hw.stage import Storage

    rng = np.random.default_rng(count)
    channels, low, high = 4, -16, 15
    t = np.sort(rng.integers(low, high + 2, (channels, count)), axis=1)
    base, step = rng.integers(0, 2, channels) * count, np.zeros(channels, int)
    step[base == 0], step[base > 0] = 1, -1
    part = Threshold(
        t.tolist(), base.tolist(), step.tolist(), Element("signed", BITS), Element("unsigned", 4),
        lanes=lanes, mode=mode, kept=late and mode == "serial",
    )  # fmt: skip
    if late:
        part._MustUse__silence = True  # its copy is used
        part = part.stored({"": Storage(dict.fromkeys(part.memories, "block"), late=True)})
    x = np.repeat(np.arange(low, high + 1)[:, None], channels, axis=1)  # each number in each channel
    expected = base + step * (x[:, :, None] >= t).sum(axis=2)
    beats = [part.source.pack(row[k : k + lanes]) for row in x for k in range(0, channels, lanes)]
    found: list[int] = []
    times: list[int] = []

    async def source(ctx: Any) -> None:
        for payload in beats:
            ctx.set(part.i.payload, payload)
            ctx.set(part.i.valid, 1)
            await ctx.tick().until(part.i.ready)
        ctx.set(part.i.valid, 0)

    async def sink(ctx: Any) -> None:
        ctx.set(part.o.ready, 1)
        for cycle in range(40 * len(beats)):
            _, _, valid, payload = await ctx.tick().sample(part.o.valid, part.o.payload)
            if valid:
                found.extend(part.target.unpack(payload, lanes))
                times.append(cycle)
            if len(times) == len(beats):
                return

    simulator = Simulator(part)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(sink)
    simulator.run()
    np.testing.assert_array_equal(np.array(found).reshape(expected.shape), expected)
    assert times[-1] - times[-2] == part.interval
