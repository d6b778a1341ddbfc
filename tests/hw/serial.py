"""A host at the pins of a design in Amaranth's simulator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from amaranth import Module
from amaranth.sim import Simulator

from edgeternary.link.frames import Message, Reader


class Host:
    """Sends bytes at rx, bit by bit, and collects what comes out of tx."""

    def __init__(self, ctx: Any, device: Any, clocks: int, reader: Reader, replies: list[Message]) -> None:
        self.ctx, self.device, self.clocks, self.reader, self.replies = ctx, device, clocks, reader, replies

    async def send(self, data: bytes) -> None:
        for byte in data:
            for bit in (0, *(byte >> k & 1 for k in range(8)), 1):
                self.ctx.set(self.device.rx, bit)
                await self.ctx.tick().repeat(self.clocks)

    async def reply(self, patience: int = 20_000) -> Message | None:
        """The next message from the device, None if there is none within `patience` clocks."""
        for _ in range(patience // 16):
            if self.replies:
                return self.replies.pop(0)
            await self.ctx.tick().repeat(16)
        return None


def talk(device: Any, clocks: int, host: Callable[[Host], Awaitable[None]]) -> Reader:
    """Runs `host` against a device with pins rx and tx; a bit lasts `clocks`."""
    m = Module()
    m.submodules.device = device
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    reader, replies = Reader(), list[Message]()

    async def listen(ctx: Any) -> None:
        while True:
            await ctx.negedge(device.tx)
            await ctx.tick().repeat(clocks // 2)
            assert ctx.get(device.tx) == 0, "a glitch"
            byte = 0
            for k in range(8):
                await ctx.tick().repeat(clocks)
                byte |= ctx.get(device.tx) << k
            await ctx.tick().repeat(clocks)
            assert ctx.get(device.tx) == 1, "no stop bit"
            replies.extend(reader.feed(bytes([byte])))

    async def bench(ctx: Any) -> None:
        await host(Host(ctx, device, clocks, reader, replies))

    simulator.add_testbench(listen, background=True)
    simulator.add_testbench(bench)
    simulator.run()
    return reader
