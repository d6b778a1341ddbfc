"""The loader at full rate, a byte a cycle, and with pauses; each planted fault is seen at full rate."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from edgeternary_hw import Loader

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


class Between(wiring.Component):
    """A loader as another component shows it: with nothing else to say, as it is."""

    def __init__(self, depths: Sequence[int], crc: int) -> None:
        self.inner = Loader(depths, crc)
        self.bus = type(self.inner.bus)(max(depths), len(depths))
        super().__init__(self.inner.signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = self.inner
        shown = {
            "valid": (inner.i.valid, self.i.valid),
            "payload": (inner.i.payload, self.i.payload),
            "ready": (self.i.ready, inner.i.ready),
            "loaded": (self.loaded, inner.loaded),
            "failed": (self.failed, inner.failed),
            **{
                name: (getattr(self.bus, name), getattr(inner.bus, name))
                for name in ("write", "address", "data")
            },
        }
        changes = self.changed(m, inner)
        m.d.comb += [to.eq(changes.get(name, source)) for name, (to, source) in shown.items()]
        return m

    def changed(self, m: Module, inner: Loader) -> dict[str, Any]:
        return {}


def wrong(change: Callable[[Any, Module, Loader], dict[str, Any]]) -> type[Between]:
    """A loader that shows other signals: {name: what is there instead}."""
    return type("Wrong", (Between,), {"changed": change})


def byte_lost(self: Any, m: Module, inner: Loader) -> dict[str, Any]:
    """A byte is taken, but not looked at, while the last word of a column is written."""
    lost = inner.bus.write.any() & (inner.bus.address == inner.depths[0] - 1)
    return {"valid": self.i.valid & ~lost}


def byte_too_many(self: Any, m: Module, inner: Loader) -> dict[str, Any]:
    return {"ready": ~(inner.loaded | inner.failed)}


def addresses_go_on(self: Any, m: Module, inner: Loader) -> dict[str, Any]:
    address = Signal.like(self.bus.address)
    m.d.sync += address.eq(address + inner.bus.write.any())
    return {"address": address}


def written_twice(self: Any, m: Module, inner: Loader) -> dict[str, Any]:
    """A word is written after each of its halves."""
    taken, column = Signal(), Signal.like(inner.bus.write, init=1)
    m.d.sync += taken.eq(inner.i.valid & inner.i.ready)
    with m.If(inner.bus.write.any()):
        m.d.sync += column.eq(inner.bus.write)
    return {"write": Mux(taken, column, 0)}


FAULTS: dict[str, Callable[[Sequence[int], int], Any]] = {
    "a byte is lost at the end of a column": wrong(byte_lost),
    "one byte too many is taken": wrong(byte_too_many),
    "columns are not left": wrong(lambda self, m, inner: {"write": inner.bus.write.any()}),
    "addresses go on in the next column": wrong(addresses_go_on),
    "words are written after half of them": wrong(written_twice),
    "the halves are the wrong way round": wrong(
        lambda self, m, inner: {"data": Cat(inner.bus.data[8:], inner.bus.data[:8])}
    ),
    "the CRC is not inverted": lambda depths, crc: Loader(depths, crc ^ 0xFFFFFFFF),
    "it is never done": wrong(lambda self, m, inner: {"loaded": Const(0), "failed": Const(0)}),
    "a column ends early": lambda depths, crc: Loader((depths[0] - 1, *depths[1:]), crc),
    "the longest column ends all": lambda depths, crc: Loader(depths[: depths.index(max(depths)) + 1], crc),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen_at_full_rate(fault: str) -> None:
    depths = (5, 2, 9, 4)
    assert watched(FAULTS[fault], depths, 0.0, contents(depths))


def test_a_loader_in_another_component_is_right() -> None:
    assert watched(Between, (5, 2, 9, 4), 0.0, contents((5, 2, 9, 4))) == ""
