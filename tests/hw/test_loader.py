"""The loader and its flash: words where they belong, an exact time, and no start on wrong bytes."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from amaranth import Elaboratable, Module, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from edgeternary_hw import FlashReader, Loader
from edgeternary_hw.crc import after_byte
from edgeternary_hw.flash import lead_clocks
from edgeternary_hw.single_port import Filling
from tests.hw.flash import Flash, attach

DEPTHS = (37, 37, 5)  # two columns of one memory of 20 bits, one of another of 9
OFFSET, CLOCK = 0x123, 1_000_000


class Both(Elaboratable):
    """Flash reader, loader and the memories."""

    def __init__(self, crc: int) -> None:
        self.flash, self.loader = FlashReader(OFFSET, CLOCK), Loader(DEPTHS, crc)
        self.at, self.read, self.words = Signal(6), Signal(), (Signal(20), Signal(9))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.flash, m.submodules.loader = self.flash, self.loader
        wiring.connect(m, self.flash.o, self.loader.i)
        m.d.comb += self.flash.stop.eq(self.loader.loaded | self.loader.failed)
        wide = Filling(self.loader.bus, 0).rom(m, 37, 20, self.at, self.read, "wide")
        small = Filling(self.loader.bus, 2).rom(m, 5, 9, self.at[:3], self.read, "small")
        m.d.comb += [self.words[0].eq(wide), self.words[1].eq(small)]
        return m


def contents() -> tuple[list[int], list[int], bytes]:
    rng = np.random.default_rng(2)
    wide, small = rng.integers(0, 1 << 20, 37).tolist(), rng.integers(0, 1 << 9, 5).tolist()
    columns = [[w & 0xFFFF for w in wide], [w >> 16 for w in wide], small]
    return wide, small, b"".join(w.to_bytes(2, "little") for column in columns for w in column)


def loaded(data: bytes, crc: int) -> tuple[bool, int, list[tuple[int, int]], Flash]:
    """Whether the memories were loaded, after how many clocks, and what is in them then."""
    both, flash = Both(crc), Flash(bytes(OFFSET) + data)
    simulator = Simulator(both)
    simulator.add_clock(1e-6)
    attach(simulator, both.flash, flash)
    result: list[Any] = []

    async def watch(ctx: Any) -> None:
        clocks = 0
        while not (ctx.get(both.loader.loaded) or ctx.get(both.loader.failed)):
            await ctx.tick()
            clocks += 1
            assert clocks < 10_000
        good = bool(ctx.get(both.loader.loaded))
        ctx.set(both.read, 1)
        found = []
        for k in range(37):
            ctx.set(both.at, k)
            await ctx.tick()
            found.append((ctx.get(both.words[0]), ctx.get(both.words[1])))
        await ctx.tick().repeat(50)
        assert ctx.get(both.flash.cs_n) == 1
        result.extend((good, clocks, found))

    simulator.add_testbench(watch)
    simulator.run()
    good, clocks, found = result
    return good, clocks, found, flash


def test_words_come_where_they_belong_in_the_predicted_time() -> None:
    wide, small, data = contents()
    good, clocks, found, flash = loaded(data, zlib.crc32(data))
    assert good and clocks == lead_clocks(CLOCK) + 16 * len(data) + 1
    assert [w for w, _ in found] == wide and [s for _, s in found[:5]] == small
    assert flash.commands[0] == 0xAB and flash.awake


@pytest.mark.parametrize("fault", ["bit", "swap", "erased"])
def test_wrong_bytes_are_refused(fault: str) -> None:
    _, _, data = contents()
    wrong = bytearray(data)
    if fault == "bit":
        wrong[-1] ^= 1
    elif fault == "swap":
        wrong[10:14] = data[12:14] + data[10:12]
    else:
        wrong = bytearray(b"\xff" * len(data))
    assert not loaded(bytes(wrong), zlib.crc32(data))[0]


def test_the_crc_is_zlibs() -> None:
    m = Module()
    crc, byte = Signal(32, init=0xFFFFFFFF), Signal(8)
    m.d.sync += crc.eq(after_byte(crc, byte))
    data = np.random.default_rng(0).bytes(200)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)

    async def feed(ctx: Any) -> None:
        for k, value in enumerate(data):
            ctx.set(byte, value)
            await ctx.tick()
            assert ctx.get(crc) ^ 0xFFFFFFFF == zlib.crc32(data[: k + 1])

    simulator.add_testbench(feed)
    simulator.run()


def test_a_reader_that_waits_loses_nothing() -> None:
    data = np.random.default_rng(1).bytes(40)
    reader, flash = FlashReader(0, CLOCK), Flash(data)
    simulator = Simulator(reader)
    simulator.add_clock(1e-6)
    attach(simulator, reader, flash)
    found = []

    async def take(ctx: Any) -> None:
        for wait in np.random.default_rng(3).integers(0, 40, len(data)).tolist():
            ctx.set(reader.o.ready, 0)
            await ctx.tick().repeat(wait + 1)
            ctx.set(reader.o.ready, 1)
            (value,) = await ctx.tick().sample(reader.o.payload).until(reader.o.valid)
            found.append(value)

    simulator.add_testbench(take)
    simulator.run()
    assert bytes(found) == data
