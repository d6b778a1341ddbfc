"""Pieces of vector code (Helium) for lanes, and where things are.

r0        words of the input             q0       loaded words, then temporaries
r1        the output                     q1-q6    accumulators
r2        constants                      q7       addresses of words or offsets of bytes
r3, r4    rows left, outputs left        [sp]     OFFSETS: words, outputs, bytes; sums that wait
"""

from collections.abc import Iterator

from edgeternary.c.lanes.text2 import constant
from edgeternary.c.lanes.walk import Walk

WIDTH = 4
X, Y, EVEN, ODD, FRAME = 0, 16, 32, 48, 64
SAVED = 16  # bytes of sums that wait after the FRAME
HALF = 0xFFFF  # largest offset of a byte beside seven others


def close(walk: Walk) -> bool:
    """Whether offsets of 16 bits reach the bytes of every lane."""
    return max(walk.lanes) + (WIDTH - 1) * walk.y_step <= HALF


def addresses(base: str, offsets: int) -> list[str]:
    """q7: addresses of four words."""
    return [f"vldrw.u32 q7, [sp, #{offsets}]", f"vadd.i32 q7, q7, {base}"]


def moved(register: str, count: int) -> list[str]:
    """register += count."""
    return [*constant("r5", count), f"vadd.i32 {register}, {register}, r5"] if count else []


def store_head(walk: Walk) -> list[str]:
    """Where the results go."""
    if not walk.lanes:
        return addresses("r1", Y)
    if walk.low:
        return [f"mov r12, #0x{walk.low % 256 * 0x01010101:08x}"]
    return []


def store(walk: Walk, i: int, register: str) -> Iterator[str]:
    """Output i of the group: a word of each place, or its lanes as bytes."""
    if not walk.lanes:
        yield f"vstrw.32 {register}, [q7, #{4 * i}]"
        return
    if walk.low:
        yield f"vadd.i8 {register}, {register}, r12"
    if not close(walk):
        yield f"vldrw.u32 q7, [sp, #{Y}]"
        for lane, place in enumerate(walk.lanes):
            yield from [*constant("r5", place), "add r5, r5, r1", f"vstrb.32 {register}, [r5, q7]"]
            if lane + 1 < len(walk.lanes):
                yield f"vshr.u32 {register}, {register}, #{walk.bits}"
    else:
        yield from [f"vldrw.u32 q7, [sp, #{EVEN}]", f"vstrb.16 {register}, [r1, q7]"]
        if len(walk.lanes) == 4:
            yield from [f"vshr.u16 {register}, {register}, #8", f"vldrw.u32 q7, [sp, #{ODD}]"]
            yield f"vstrb.16 {register}, [r1, q7]"
    yield "adds r1, r1, #1"


def store_tail(walk: Walk, count: int) -> list[str]:
    """r1 as it was before `count` stores of bytes."""
    return [f"subs r1, r1, #{count}"] if walk.lanes else []
