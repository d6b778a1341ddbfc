"""Counts of thresholds for a group in 16-bit instructions: sums in the frame to codes in memory."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from edgeternary.c.assembly import note
from edgeternary.c.lanes import text1
from edgeternary.c.lanes.after import compare1, fields
from edgeternary.c.lanes.after.compared import Compared
from edgeternary.c.lanes.program import Group
from edgeternary.c.lanes.walk import Walk

POOL_EVERY = 200  # instructions; a literal is at most 1020 bytes away
Halved = Callable[[int], list[str]]  # lines that replace the sum of output i in r3 by half of it, if any


def saved(group: Group, part: int, walk: Walk) -> Iterator[str]:
    """Sums to the frame; with fields those of pairs of registers stay there."""
    yield from text1.low_sums(group.size, text1.SUMS)
    yield from [] if walk.fields else text1.high_sums(group.size, group.parts[part])


def counted(after: Compared, group: Group, walk: Walk, halved: Halved) -> Iterator[str]:
    """From the sums of `saved` to y."""
    return _by_fours(after, group, walk, halved) if walk.fields else _one_by_one(after, group, walk, halved)


def _one_by_one(after: Compared, group: Group, walk: Walk, halved: Halved) -> Iterator[str]:
    """r0, which waits in r11: y; r7: 1 in every lane. Where there is much to do, literals come in between."""
    yield from ["mov r11, r0", *text1.places(walk, "r0", literals=True)]
    yield f"ldr r6, {compare1.tops(walk.bits, walk.ones)}"
    since, ones = 0, False
    lowered = walk.low == -1  # counts become codes in all lanes at once
    for i in range(group.size):
        channel = group.first + i
        lines = [f"ldr r3, [sp, #{text1.SUMS + 4 * i}]", *halved(i)]
        lines += compare1.count(after, channel, walk.bits, walk.ones)
        ones = ones and not after.hard[channel]
        if lowered:
            lines += [] if ones else [f"lsrs r7, r6, #{walk.bits - 1}"]
            lines += ["lsls r1, r1, #1"] if walk.unit == 2 else []
            lines += ["orrs r1, r6", "subs r1, r1, r7", "eors r1, r6"]
            ones = True
        lines += text1.store(i, replace(walk, low=0, unit=1) if lowered else walk, "r0")
        yield from lines
        since += len(lines)
        if since > POOL_EVERY:
            yield from ["b 9f", ".ltorg", "9:"]
            since = 0
    yield "mov r0, r11"


def _by_fours(after: Compared, group: Group, walk: Walk, halved: Halved) -> Iterator[str]:
    """Channels 4-7 first: that of r1 waits in r8, which is free then."""
    yield f"ldr r6, {compare1.tops(walk.bits, walk.ones)}"
    for first in range(group.size - fields.CHANNELS, -1, -fields.CHANNELS):
        yield note(
            f"codes of outputs {group.first + first} to {group.first + first + 3}: two bits each, in r1"
        )
        for i in range(first, first + fields.CHANNELS):
            if i < len(text1.LOW):
                yield f"ldr r3, [sp, #{text1.SUMS + 4 * i}]"
            else:
                yield from text1.difference(i, group.parts[-1], "r3", "r4")
            yield from [*halved(i), *fields.insert(after, group.first + i, walk, i == first)]
        if first:
            yield "mov r8, r1"
    if group.size > fields.CHANNELS:
        yield "mov r2, r8"
    frame = text1.FIRST + text1.PART * after.kept(group)
    yield note("each byte of four codes becomes four bytes by a table")
    yield from fields.store(group, walk, frame + text1.PUSHED)
