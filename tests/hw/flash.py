"""A serial flash in Amaranth's simulator: SPI mode 0, asleep until it is woken, read with command 0x03."""

from __future__ import annotations

from typing import Any


class Flash:
    """Looks at the pins after every clock; what it sends changes as sck falls."""

    def __init__(self, contents: bytes) -> None:
        self.contents, self.awake = contents, False
        self.bits, self.word, self.sck, self.commands = 0, 0, 0, list[int]()

    def step(self, cs_n: int, sck: int, copi: int) -> int | None:
        """The new level of the flash's output, None while it stays."""
        rose, fell, self.sck = sck and not self.sck, self.sck and not sck, sck
        if cs_n:
            if self.bits == 8:
                self.commands.append(self.word)
                self.awake |= self.word == 0xAB
            self.bits = self.word = 0
            return None
        if rose:
            self.bits += 1
            if self.bits <= 32:
                self.word = self.word << 1 | copi
        if fell and self.bits >= 32 and self.awake and self.word >> 24 == 0x03:
            at = 8 * (self.word & 0xFFFFFF) + self.bits - 32
            byte = self.contents[at // 8] if at // 8 < len(self.contents) else 0xFF
            return byte >> (7 - at % 8) & 1
        return None


def attach(simulator: Any, device: Any, flash: Flash) -> None:
    """The flash at the pins cs_n, sck, copi, cipo of a device."""

    async def play(ctx: Any) -> None:
        while True:
            await ctx.tick()
            bit = flash.step(*(ctx.get(pin) for pin in (device.cs_n, device.sck, device.copi)))
            if bit is not None:
                ctx.set(device.cipo, bit)

    simulator.add_testbench(play, background=True)
