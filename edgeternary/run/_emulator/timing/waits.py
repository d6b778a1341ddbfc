"""Cycles that the core waits for code from flash."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgeternary.boards import Memory, load_board
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.run._emulator.decode import Block

ERROR = 0.07  # the largest one on programs that were measured with wait states (docs/cycles.md)


@dataclass(frozen=True)
class Fetch:
    """How code comes out of flash, a line at a time.

    states  cycles that a line takes beyond the first;  line  bytes of it
    cache   bytes of an instruction cache: loops that fit wait for each of their lines once

    Two bounds hold for each stretch of code: with a prefetcher, which reads the next line while the core
    works on this one, so that only what the core is faster by is waited for; and without, where each line
    is. A jump into another line waits for it whole, with or without.
    """

    states: int
    line: int = 4
    cache: int = 0

    def __str__(self) -> str:
        cache = f", {self.cache:,} bytes of cache" if self.cache else ""
        return f"{self.states} wait states for {self.line} bytes of code{cache}"

    @staticmethod
    def of(flash: Memory) -> Fetch:
        """What a board's file says: wait states, and the bandwidth that they and the width of a line make."""
        if not flash.wait_states:
            return Fetch(max(round(4 / flash.bandwidth) - 1, 0), 4, flash.cache)
        return Fetch(flash.wait_states, round(flash.bandwidth * (1 + flash.wait_states)), flash.cache)

    def waits(self, before: Block | None, block: Block, steps: Sequence[float]) -> tuple[float, int]:
        """Cycles that `block` waits after `before`, with a prefetcher and without one.

        steps  cycles of each instruction of `block`, the branch to it included in the first
        """
        if not self.states:
            return 0.0, 0
        line = None if before is None else (before.end - 1) // self.line
        fell = before is not None and before.end == block.address
        fetched, without, since = 0.0, 0, 0.0
        for instruction, cycles in zip(block.instructions, steps, strict=False):
            last = (instruction.address + instruction.size - 1) // self.line
            for entered in range(instruction.address // self.line, last + 1):
                if entered != line:
                    without += self.states
                    fetched += max(self.states + 1 - since, 0) if fell else self.states
                    line, since = entered, 0.0
                fell = True
            since += cycles
        return fetched, without

    def lines(self, blocks: Iterable[tuple[int, int]]) -> int:
        """The number of lines that hold the code of (address, bytes)."""
        ranges = (range(at // self.line, -(-(at + size) // self.line)) for at, size in blocks)
        return len({line for found in ranges for line in found})


def fetch(board: str, flash_wait: str) -> Fetch | None:
    """How code comes out of the flash of `board`, or of one that waits "2"; "2:8" names the bytes of a line.

    None where both are ""; EdgeTernaryError (exit code 2) where both are given, and for anything else.
    """
    if board and flash_wait:
        why = "a board has wait states of its own"
        raise EdgeTernaryError("--board and --flash-wait together", why, "leave one of them out", USAGE)
    if board:
        return Fetch.of(load_board(board).memory()[0])
    if not flash_wait:
        return None
    found = re.fullmatch(r"(\d{1,3})(?::(2|4|8|16|32|64))?", flash_wait)
    if found is None:
        raise EdgeTernaryError(
            f"bad wait states {flash_wait[:20]!r}",
            "they are a number of cycles, and after a colon the bytes that the flash reads at once: 2 to 64",
            "--flash-wait 5, or --flash-wait 5:16",
            USAGE,
        )
    return Fetch(int(found[1]), int(found[2] or 4))
