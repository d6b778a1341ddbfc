"""Drives one part in the simulator with random stalls on every port and checks the stream contract."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

from amaranth import ClockDomain, Module
from amaranth.sim import Simulator


def run_part(
    part: Any,
    inputs: Sequence[Sequence[int]],
    count: int,
    *,
    seed: int = 0,
    stall: float = 0.4,
    limit: int = 100_000,
) -> tuple[list[int], int]:
    """Feeds payloads `inputs[k]` to port i (or ik) and returns `count` payloads of port o, and the cycles.

    `stall` is the chance that a source has nothing or the sink takes nothing in a cycle. A payload that
    changes while it waits, a ready that follows valid within a cycle, and a part that hangs or answers too
    much fail.
    """
    ports = [part.i] if hasattr(part, "i") else [getattr(part, f"i{k}") for k in range(len(inputs))]
    outs = [part.o] if hasattr(part, "o") else [getattr(part, f"o{k}") for k in range(part.count)]
    received: list[list[int]] = [[] for _ in outs]
    cycles = 0
    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.part = part
    simulator = Simulator(m)
    simulator.add_clock(1e-6)

    async def source(ctx: Any, port: Any, payloads: Sequence[int], rng: random.Random) -> None:
        for payload in payloads:
            while rng.random() < stall:
                ctx.set(port.payload, rng.getrandbits(len(port.payload)))
                await ctx.tick()
            before = ctx.get(port.ready)
            ctx.set(port.payload, payload)
            ctx.set(port.valid, 1)
            assert ctx.get(port.ready) == before, "ready follows valid of the same stream"
            while True:
                _, _, ready = await ctx.tick().sample(port.ready)
                if ready:
                    break
            ctx.set(port.valid, 0)

    async def sink(ctx: Any, port: Any, got: list[int], rng: random.Random) -> None:
        nonlocal cycles
        waiting: int | None = None
        while True:
            take = rng.random() >= stall
            ctx.set(port.ready, take)
            _, _, valid, payload = await ctx.tick().sample(port.valid, port.payload)
            cycles += 1
            assert waiting is None or (valid and payload == waiting), "a waiting payload changed"
            waiting = payload if valid and not take else None
            if valid and take:
                got.append(payload)

    async def watch(ctx: Any) -> None:
        for _ in range(limit):
            await ctx.tick()
            if all(len(got) >= count for got in received):
                for _ in range(50):
                    await ctx.tick()
                return
        raise AssertionError(f"the part hangs after {[len(got) for got in received]} of {count} beats")

    for k, (port, payloads) in enumerate(zip(ports, inputs, strict=True)):
        rng = random.Random(f"source {k} {seed}")
        feed = partial(source, port=port, payloads=payloads, rng=rng)
        simulator.add_testbench(feed, background=True)
    for k, (port, got) in enumerate(zip(outs, received, strict=True)):
        rng = random.Random(f"sink {k} {seed}")
        simulator.add_testbench(partial(sink, port=port, got=got, rng=rng), background=True)
    simulator.add_testbench(watch)
    simulator.run()
    assert all(got == received[0] and len(got) == count for got in received), "wrong number of beats"
    return received[0], cycles
