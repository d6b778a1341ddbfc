"""Group programs in vector registers (Helium): the same function as in `lanes/c99`, four words at a time.

The four words belong to neighbouring outputs, wherever their pixels lie in memory: loads gather, stores
scatter. The last four outputs of a row overlap those before; of fewer than four the last one is there again.

r0        words of the input             q0       loaded words, then temporaries
r1        the output                     q1-q6    accumulators
r2        constants                      q7       addresses of words or offsets of bytes
r3, r4    rows left, outputs left        [sp]     OFFSETS: of the words, of the outputs, of bytes (two)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.program import Group, Load, Registers
from edgeternary.c.lanes.thumb2 import constant
from edgeternary.c.lanes.walk import Walk

REGISTERS = (Registers(accumulators=6, words=1),)
WIDTH = 4
REACH = 508  # of the immediate offset of a gathered load, in bytes, in both directions
X, Y, EVEN, ODD, FRAME = 0, 16, 32, 48, 64
HALF = 0xFFFF  # largest offset of a byte beside seven others


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    accs = [f"q{1 + i}" for i in range(group.size)]
    lines = ["push {r4-r6, lr}", "vpush {d8-d15}", f"sub sp, sp, #{FRAME}", *_offsets(walk), "1:"]
    lines += [*constant("r4", walk.outputs), "2:"]
    for number, part in enumerate(group.parts):
        lines += [*_addresses("r0", X), *_starts(number, accs, walk.bits), *_additions(part, accs, walk.bits)]
        if after.kind == "sums":
            lines += [*_addresses("r1", Y), *_moved("q7", 4 * number * walk.apart)]
            lines += [f"vstrw.32 {acc}, [q7, #{4 * i}]" for i, acc in enumerate(accs)]
    if after.kind != "sums":
        lines += AFTER[after.kind](after, group, walk, accs)
    return [*lines, *_onwards(walk), f"add sp, sp, #{FRAME}", "vpop {d8-d15}", "pop {r4-r6, pc}"]


def turns(outputs: int) -> int:
    """Of a row."""
    return -(-outputs // WIDTH)


def instructions(group: Group, after: After, parts_of_bytes: int) -> float:
    """Of one turn, roughly. parts_of_bytes: lanes that are stored one by one; 0 where words are."""
    store = {0: 1, 2: 3.5, 4: 6.5}[parts_of_bytes]
    each = {"shift": 3, "scale": 13, "sums": 0}.get(after.kind, 1 + 3 * after.levels)
    moves = 2 * sum(load.skip > 1 for part in group.parts for load in part) / 8
    sums = group.additions + group.words + moves + len(group.parts) * (4 + 1.5 * group.size)
    return sums + group.size * (each + store) + 10


def _places(walk: Walk) -> list[int]:
    """The four outputs of a turn, from its first one on."""
    return [min(i, walk.outputs - 1) for i in range(WIDTH)]


def _offsets(walk: Walk) -> list[str]:
    """Constants of the frame, as words."""
    frame = [(X + 4 * i, 4 * walk.x_step * at + REACH) for i, at in enumerate(_places(walk))]
    frame += [(Y + 4 * i, walk.y_step * at) for i, at in enumerate(_places(walk))]
    if walk.lanes and _close(walk):
        for base, lanes in ((EVEN, walk.lanes[::2]), (ODD, walk.lanes[1::2])):
            low, high = lanes if len(lanes) == 2 else walk.lanes
            for i, at in enumerate(_places(walk)):
                offset = walk.y_step * at
                frame.append((base + 4 * i, offset + low | (offset + high) << 16))
    return [line for at, word in frame for line in (*constant("r5", word), f"str r5, [sp, #{at}]")]


def _close(walk: Walk) -> bool:
    """Whether offsets of 16 bits reach the bytes of every lane."""
    return max(walk.lanes) + (WIDTH - 1) * walk.y_step <= HALF


def _addresses(base: str, offsets: int) -> list[str]:
    return [f"vldrw.u32 q7, [sp, #{offsets}]", f"vadd.i32 q7, q7, {base}"]


def _moved(register: str, count: int) -> list[str]:
    return [*constant("r5", count), f"vadd.i32 {register}, {register}, r5"] if count else []


def _starts(part: int, accs: Sequence[str], bits: int) -> Iterator[str]:
    """The lanes of a start are equal but for a borrow, which vectors do not have."""
    first = part * len(accs)
    for i in range(0, len(accs) - 1, 2):
        yield f"ldrd r5, r6, [r2, #{4 * (first + i)}]"
        yield from [f"vdup.{bits} {accs[i]}, r5", f"vdup.{bits} {accs[i + 1]}, r6"]
    if len(accs) % 2:
        yield from [f"ldr r5, [r2, #{4 * (first + len(accs) - 1)}]", f"vdup.{bits} {accs[-1]}, r5"]


def _additions(part: Sequence[Load], accs: Sequence[str], bits: int) -> Iterator[str]:
    at, base = 0, REACH  # in bytes: the next word, and where q7 is
    for load in part:
        at += 4 * load.skip
        for terms in load.terms:
            if at - base > REACH:
                yield from _moved("q7", at + REACH - base)
                base = at + REACH
            yield f"vldrw.u32 q0, [q7, #{at - base}]"
            for index, sign in terms:
                yield f"{'vadd' if sign > 0 else 'vsub'}.i{bits} {accs[index]}, {accs[index]}, q0"
            at += 4


def _onwards(walk: Walk) -> Iterator[str]:
    """The end of a turn and of a row."""
    whole, rest = divmod(walk.outputs, WIDTH)
    done = WIDTH if whole else walk.outputs  # by the last turn
    if turns(walk.outputs) > 1:
        yield from ["subs r4, r4, #4", "beq 4f"]
        if rest:
            yield from ["cmp r4, #4", "bge 3f", "movs r4, #4", *_step(walk, rest), "b 2b", "3:"]
        yield from [*_step(walk, WIDTH), "b 2b", "4:"]
    yield from [*_step(walk, done, walk.x_row, walk.y_row), "subs r3, r3, #1", "bne 1b"]


def _step(walk: Walk, outputs: int, x_row: int = 0, y_row: int = 0) -> Iterator[str]:
    for register, count in (
        ("r0", 4 * (walk.x_step * outputs + x_row)),
        ("r1", walk.y_step * outputs + y_row),
    ):
        yield from [*constant("r5", count % 2**32), f"add {register}, {register}, r5"]


def _shift(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """Lanes hold 2^15 more than the sum; what exceeds 2^top - 1 saturates at 16 bits."""
    yield from [*_store_head(walk), "mov r5, #0x8000"]
    for i, acc in enumerate(accs):
        s, top = int(after.shift[group.first + i]), after.top
        yield f"vqsub.u16 {acc}, {acc}, r5"
        if after.hard[group.first + i]:
            yield from [f"vqshl.u16 {acc}, {acc}, #{16 - top - s}", f"vshr.u16 {acc}, {acc}, #{16 - top}"]
        elif s:
            yield f"vshr.u16 {acc}, {acc}, #{s}"
        yield from _store(walk, i, acc)
    yield from _store_tail(walk, len(accs))


def _scale(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """Even and odd lanes become 32 bits each; the sum of S * m and a constant is shifted and clamped."""
    yield from _store_head(walk)
    for i, acc in enumerate(accs):
        s, rest = int(after.shift[group.first + i]), 16 - after.top
        yield from ["mov r5, #0x8000", f"vadd.i16 {acc}, {acc}, r5"]
        yield from [f"ldrd r5, r6, [r2, #{4 * (group.size + 2 * i)}]"]
        yield from [f"vmovlb.s16 q0, {acc}", f"vmovlt.s16 {acc}, {acc}"]
        for register in ("q0", acc):
            yield from [f"vmul.i32 {register}, {register}, r5", f"vadd.i32 {register}, {register}, r6"]
            if s:
                yield f"vshr.s32 {register}, {register}, #{s}"
        yield from ["vqmovunb.s32 q0, q0", f"vqmovunt.s32 q0, {acc}"]
        yield from [f"vqshl.u16 q0, q0, #{rest}", f"vshr.u16 q0, q0, #{rest}"]
        yield from _store(walk, i, "q0")
    yield from _store_tail(walk, len(accs))


def _select(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """One comparison and one addition in the lanes that reach the threshold."""
    yield from [*_store_head(walk), f"movs r6, #{walk.unit}"]
    for i, acc in enumerate(accs):
        yield "vmov.i32 q0, #0"
        for limit in _limits(after, group.first + i, walk.bits):
            yield f"movw r5, #{limit}"
            yield f"vpt.u{walk.bits} cs, {acc}, r5; vaddt.i{walk.bits} q0, q0, r6"  # one line: one statement
        yield from _store(walk, i, "q0")
    yield from _store_tail(walk, len(accs))


def _limits(after: After, channel: int, bits: int) -> list[int]:
    """What a lane has to reach for each threshold, without those that it never reaches."""
    limits = after.limits[:, channel].tolist()
    if after.kind == "count" and not after.hard[channel]:
        limits = [2 ** (bits - 1) + sum(limits[1 : level + 1]) for level in range(after.levels)]
    return [limit for limit in limits if limit < 2**bits]


def _store_head(walk: Walk) -> list[str]:
    """Where the results go."""
    if not walk.lanes:
        return _addresses("r1", Y)
    if walk.low:
        return [f"mov r12, #0x{walk.low % 256 * 0x01010101:08x}"]
    return []


def _store(walk: Walk, i: int, register: str) -> Iterator[str]:
    """Output i of the group: a word of each place, or its lanes as bytes."""
    if not walk.lanes:
        yield f"vstrw.32 {register}, [q7, #{4 * i}]"
        return
    if walk.low:
        yield f"vadd.i8 {register}, {register}, r12"
    if not _close(walk):
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


def _store_tail(walk: Walk, count: int) -> list[str]:
    return [f"subs r1, r1, #{count}"] if walk.lanes else []


AFTER = {"shift": _shift, "scale": _scale, "select": _select, "count": _select}
