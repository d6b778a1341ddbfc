"""Counts of four channels in one word, and from there to codes in natural layout, for a Cortex-M0+.

With at most three thresholds, the code of a lane has two bits. A byte holds those of four channels, channel
c in bits 2c and 2c + 1, so a word holds four channels of four lanes, and a table of 256 words turns each byte
into the four codes that lie side by side in memory: a store of one word where four of bytes were.

r0          words of the input, untouched
r1          the word that is being filled      r2-r7       as in `lanes/compare1`, then
r1, r2      channels 0-3 and 4-7               r3, r4      codes of a lane
r5          y                                  r6, r7      a byte times four, the table
"""

from collections.abc import Iterator, Sequence

import numpy as np

from edgeternary.c.assembly import note
from edgeternary.c.lanes import text1
from edgeternary.c.lanes.after import compare1
from edgeternary.c.lanes.after.base import After
from edgeternary.c.lanes.after.compared import Compared
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.walk import Walk
from edgeternary.ir import IntArray

CHANNELS = 4  # of a word
LEVELS = 3  # thresholds that two bits can tell apart


def fit(groups: Sequence[Group], after: After, walk: Walk) -> bool:
    """Whether every group is stored in whole words, from addresses that are multiples of 4 apart."""
    apart = (walk.y_step, *walk.lanes, *(n for group in groups for n in (group.first, group.size)))
    return (
        isinstance(after, Compared)
        and len(walk.lanes) == CHANNELS
        and 1 <= after.levels <= LEVELS
        and all(number % CHANNELS == 0 for number in apart)
    )


def table(levels: int, low: int, unit: int) -> IntArray:
    """(256,) words: byte c is the code that `insert` writes as bits 2c and 2c + 1 of the index."""
    counts = {1: (0, 0, 1, 1), 2: (0, 0, 1, 2), 3: (0, 1, 2, 3)}[levels]
    codes = (low + unit * np.array(counts, np.int64)) % 256
    index = np.arange(256)
    return sum(codes[index >> 2 * c & 3] << 8 * c for c in range(CHANNELS)).astype(np.uint32)


def insert(after: Compared, channel: int, walk: Walk, first: bool) -> Iterator[str]:
    """The code of the sum in r3 to the top of r1, which moves down; `channel` of all.

    Of thresholds t0 <= t1 <= t2 the bits are: t0 and 0; t0 and t1; t1 and t0 ^ t1 ^ t2.
    """
    reached = {}
    registers = compare1.REGISTERS
    for level, register, lines in compare1.comparisons(after, channel, walk.bits, walk.ones, registers):
        yield from lines
        reached[level] = register
    bits = [reached[level] for level in range(min(after.levels, 2))]
    if after.levels == LEVELS:
        yield from [f"eors {reached[0]}, {reached[1]}", f"eors {reached[0]}, {reached[2]}"]
        bits.reverse()
    yield from [] if first else ["lsrs r1, r1, #2"]
    for number, bit in enumerate(bits):
        yield f"ands {bit}, r6"
        yield from [f"lsrs {bit}, {bit}, #1"] if number else []
        yield f"movs r1, {bit}" if first and not number else f"orrs r1, {bit}"


def store(group: Group, walk: Walk, codes: int) -> list[str]:
    """To y; the table lies in the frame at `codes`. Jumps to `bytes_` and back to 5."""
    values = ("r3", "r4")[: group.size // CHANNELS]
    lines = [f"ldr r7, [sp, #{codes}]", "movs r6, #255", "lsls r6, r6, #2", f"ldr r5, [sp, #{text1.Y}]"]
    lines += ["lsls r3, r5, #30", "bne 6f"]
    for lane, step in enumerate([*_steps(group, walk), 0]):
        for value, source in zip(values, ("r1", "r2"), strict=False):
            move = f"lsrs {value}, {source}, #{8 * lane - 2}" if lane else f"lsls {value}, {source}, #2"
            lines += [move, f"ands {value}, r6", f"ldr {value}, [r7, {value}]"]
        lines += [f"stmia r5!, {{{', '.join(values)}}}", *text1.add("r5", step, "r3")]
    return [*lines, "5:"]


def bytes_(group: Group, walk: Walk) -> Iterator[str]:
    """At 6: the same for a y that is no multiple of 4, a turn for each lane."""
    yield note("the same byte by byte, where y is no multiple of 4")
    yield from ["6:", "adr r6, 8f", "movs r4, #4", "7:"]
    for number, source in enumerate(("r1", "r2")[: group.size // CHANNELS]):
        yield from [f"uxtb r3, {source}", "lsls r3, r3, #2", "ldr r3, [r7, r3]"]
        for byte in range(CHANNELS):
            yield f"strb r3, [r5, #{CHANNELS * number + byte}]"
            yield from ["lsrs r3, r3, #8"] if byte < CHANNELS - 1 else [f"lsrs {source}, {source}, #8"]
    yield from ["ldmia r6!, {r3}", "adds r5, r5, r3", "subs r4, #1", "bne 7b", "b 5b"]
    yield from [".balign 4", "8:"]
    yield from (f".word {step + group.size}" for step in [*_steps(group, walk), 0])


def _steps(group: Group, walk: Walk) -> list[int]:
    """From the end of a lane's codes to those of the next lane."""
    return [b - a - group.size for a, b in zip(walk.lanes, walk.lanes[1:], strict=False)]
