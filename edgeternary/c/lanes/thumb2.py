"""Group programs as Thumb-2: the same function as in `lanes/c99`, in assembly.

r0           words of the input
r1-r3        loaded words, then temporaries, with those of r12 and lr that are no accumulators
r4-r12, lr   accumulators
[sp]         y, constants, rows left, y at the end of a row; sums of the first part where these are halved
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from edgeternary.c.lanes import to_bytes2 as lanes_bytes2
from edgeternary.c.lanes import transpose2 as lanes_transpose2
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.program import Group, Registers
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.lanes.words import additions

REGISTERS = tuple(Registers(accumulators=count, words=13 - count) for count in (8, 9, 10))
ACCUMULATORS = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr")
FREE = ("r1", "r2", "r3")  # for words, with the accumulators that no group needs
LOW = ("r1", "r2", "r3", "r4", "r5", "r6", "r7")
ADD_LIMIT, LOAD_LIMIT = 4095, 4092
Y, K, ROWS, END, FIRST = 0, 4, 8, 12, 16
Y_STAYS = ("shift", "bytes", "scale")  # in r1


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    accs = ACCUMULATORS[: group.size]
    frame = FIRST + (4 * group.size if after.kind == "halves" else 0)
    lines = ["push {r4-r11, lr}", *_row_end(walk), *_saved(frame), "1:"]
    for number, part in enumerate(group.parts):
        lines.append(f"ldr r1, [sp, #{K}]")
        if number:
            lines += _add("r1", 4 * number * group.size, "r2")
        lines.append(f"ldmia r1, {{{', '.join(accs)}}}" if group.size > 1 else f"ldr {accs[0]}, [r1]")
        last = number == len(group.parts) - 1
        words = (*FREE, *ACCUMULATORS[max(len(accs), 8) :])
        text, moved = additions(part, words, LOAD_LIMIT, _add, partial(_accumulate, accs))
        lines += text
        lines += _add("r0", 4 * ((walk.x_step if last else 0) - moved), "r1")
        if after.kind == "halves" and not last:
            lines += [f"add r1, sp, #{FIRST}", *_store(accs, "r1")]
        if after.kind == "sums":
            lines.append(f"ldr r1, [sp, #{Y}]")
            lines += _add("r1", 4 * number * walk.apart, "r2")
            lines += _store(accs, "r1")
    if after.kind != "sums":
        lines += AFTER[after.kind](after, group, walk, accs)
    lines += [] if after.kind in Y_STAYS else [f"ldr r1, [sp, #{Y}]"]
    lines += [f"ldr r2, [sp, #{END}]", *_add("r1", walk.y_step, "r3"), f"str r1, [sp, #{Y}]"]
    lines += ["cmp r1, r2", "bne 1b"]
    lines += [f"ldr r2, [sp, #{ROWS}]", *_add("r0", 4 * walk.x_row, "r3"), *_add("r1", walk.y_row, "r3")]
    lines += [*_row_end(walk), "subs r2, r2, #1", f"str r1, [sp, #{Y}]"]
    lines += [
        f"str r2, [sp, #{ROWS}]",
        f"str r4, [sp, #{END}]",
        "bne 1b",
        f"add sp, sp, #{frame}",
        "pop {r4-r11, pc}",
    ]
    return lines


def _row_end(walk: Walk) -> list[str]:
    """r4: y at the end of the row that begins at r1."""
    return [*constant("r4", walk.outputs * walk.y_step), "add r4, r4, r1"]


def _saved(frame: int) -> list[str]:
    """r1-r4 at the bottom of a frame."""
    return [f"sub sp, sp, #{frame - FIRST}"] * (frame > FIRST) + ["push {r1-r4}"]


def constant(register: str, value: int) -> list[str]:
    """Load any 32-bit constant."""
    lines = [f"movw {register}, #{value & 0xFFFF}"]
    return lines + ([f"movt {register}, #{value >> 16 & 0xFFFF}"] if value & 0xFFFF0000 else [])


def _add(register: str, count: int, spare: str) -> list[str]:
    if count == 0:
        return []
    name = "add" if count > 0 else "sub"
    if abs(count) <= ADD_LIMIT:
        return [f"{name}{'w' if abs(count) > 255 else 's'} {register}, {register}, #{abs(count)}"]
    return [*constant(spare, abs(count)), f"{name} {register}, {register}, {spare}"]


def _accumulate(accs: Sequence[str], index: int, sign: int, word: str) -> str:
    """The narrow form where there is one: differences of r0-r7, and sums everywhere."""
    acc = accs[index]
    if sign > 0:
        return f"add {acc}, {word}"
    return f"{'subs' if acc in LOW and word in LOW else 'sub'} {acc}, {acc}, {word}"


def _store(accs: Sequence[str], pointer: str) -> list[str]:
    return [f"stmia {pointer}, {{{', '.join(accs)}}}" if len(accs) > 1 else f"str {accs[0]}, [{pointer}]"]


def _shift(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """r1 points to the codes of the low lane and r2 to those of the high one, where y are codes."""
    yield f"ldr r1, [sp, #{Y}]"
    if walk.lanes:
        yield from _sum("r2", "r1", walk.lanes[1], "r3")
    for i, acc in enumerate(accs):
        s = int(after.shift[group.first + i])
        most = min(after.top + s, walk.bits - 1)
        shifted = f", asr #{s}" if s else ""
        yield f"eor {acc}, {acc}, #0x80008000"
        if walk.lanes:
            yield from [f"sxth r3, {acc}", f"usat r3, #{after.top}, r3{shifted}", *_raise("r3", walk.low)]
            yield from [f"strb r3, [r1, #{i}]", f"usat {acc}, #{after.top}, {acc}, asr #{16 + s}"]
            yield from [*_raise(acc, walk.low), f"strb {acc}, [r2, #{i}]"]
        elif walk.dsp:
            yield f"usat16 {acc}, #{most}, {acc}"
            if s:
                yield f"lsr {acc}, {acc}, #{s}"
                yield f"and {acc}, {acc}, #0x{(2 ** (most - s) - 1) * walk.ones:08x}"
        else:
            yield from [f"sxth r3, {acc}", f"usat r3, #{after.top}, r3{shifted}"]
            yield from [f"usat {acc}, #{after.top}, {acc}, asr #{16 + s}", f"orr {acc}, r3, {acc}, lsl #16"]
    if not walk.lanes:
        yield from _store(accs, "r1")


def _scale(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """r0 (restored): constants; r2, r3: multiplier, what is added; r12: a lane; lr: y of the high lane."""
    yield from [f"ldr r2, [sp, #{K}]", f"ldr r1, [sp, #{Y}]", "push {r0}"]
    yield from _sum("r0", "r2", 4 * group.size, "r3")
    if walk.lanes:
        yield from _sum("lr", "r1", walk.lanes[1], "r3")
    for i, acc in enumerate(accs):
        shift = int(after.shift[group.first + i])
        shifted = f", asr #{shift}" if shift else ""
        yield from [f"eor {acc}, {acc}, #0x80008000", "ldmia r0!, {r2, r3}"]
        if walk.dsp:
            yield from [f"smlabb r12, {acc}, r2, r3", f"smlatb {acc}, {acc}, r2, r3"]
        else:
            yield from [f"sxth r12, {acc}", "mla r12, r12, r2, r3"]
            yield from [f"asr {acc}, {acc}, #16", f"mla {acc}, {acc}, r2, r3"]
        yield from [f"usat r12, #{after.top}, r12{shifted}", f"usat {acc}, #{after.top}, {acc}{shifted}"]
        if walk.lanes:
            yield from [*_raise("r12", walk.low), f"strb r12, [r1, #{i}]"]
            yield from [*_raise(acc, walk.low), f"strb {acc}, [lr, #{i}]"]
        else:
            yield f"orr {acc}, r12, {acc}, lsl #16"
    if not walk.lanes:
        yield from _store(accs, "r1")
    yield "pop {r0}"


def _raise(register: str, low: int) -> list[str]:
    """The code of a lane's number."""
    return [f"sub {register}, {register}, #{-low}"] if low else []


def _sum(register: str, base: str, count: int, spare: str) -> list[str]:
    """register = base + count."""
    if 0 <= count <= ADD_LIMIT:
        return [f"addw {register}, {base}, #{count}"]
    return [*constant(spare, count), f"add {register}, {base}, {spare}"]


def _count(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """r1: the constants; r0, which is restored, counts where all bits are needed."""
    tops, ones, by = f"#0x{walk.ones << (walk.bits - 1):08x}", f"#0x{walk.ones:08x}", walk.bits - 1
    yield from [f"ldr r1, [sp, #{K}]", "push {r0}"]
    for i, acc in enumerate(accs):
        loads = [f"ldr r3, [r1, #{4 * ((level + 1) * group.size + i)}]" for level in range(after.levels)]
        if after.hard[group.first + i]:
            yield f"orr r2, {acc}, {tops}"
            for level, load in enumerate(loads):
                name = "and" if after.limits[level, group.first + i] >> by else "orr"
                yield from [load, "subs r3, r2, r3", f"{name} r3, r3, {acc}", f"and r3, r3, {tops}"]
                yield f"add r0, r0, r3, lsr #{by}" if level else f"lsr r0, r3, #{by}"
            yield f"mov {acc}, r0"
            continue
        for level, load in enumerate(loads[1:]):
            yield from [load, "subs r2, r2, r3" if level else f"sub r2, {acc}, r3"]
            if level == 0:
                yield from [f"lsr {acc}, {acc}, #{by}", f"and {acc}, {acc}, {ones}"]
            yield from [f"and r3, r2, {tops}", f"add {acc}, {acc}, r3, lsr #{by}"]
        if after.levels == 1:
            yield from [f"lsr {acc}, {acc}, #{by}", f"and {acc}, {acc}, {ones}"]
    yield "pop {r0}"
    yield from _codes(walk, accs)


def _halves(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """r1: the constants; r0 (restored) counts; r12: half, rounded up where it is not whole."""
    tops, ones, by = f"#0x{walk.ones << (walk.bits - 1):08x}", f"#0x{walk.ones:08x}", walk.bits - 1
    yield from [f"ldr r1, [sp, #{K}]", "push {r0}"]
    for i, acc in enumerate(accs):
        odd, hard = after.odds(group.first + i), bool(after.hard[group.first + i])
        yield f"ldr r2, [sp, #{4 + FIRST + 4 * i}]"
        if any(odd):
            yield from [f"eor r12, {acc}, r2", f"and r12, r12, {ones}"]
        if walk.dsp:
            yield f"uhadd{walk.bits} {acc}, {acc}, r2"
        else:
            yield from [f"eor r3, {acc}, r2", f"and {acc}, {acc}, r2", "lsr r3, r3, #1"]
            yield from [f"bic r3, r3, {tops}", f"add {acc}, {acc}, r3"]
        if any(odd):
            yield f"add r12, r12, {acc}"
        for level, up in enumerate(odd):
            half = "r12" if up else acc
            source = half
            if hard or level:
                yield f"ldr r3, [r1, #{4 * ((2 + level) * group.size + i)}]"
                yield from [f"orr r2, {half}, {tops}"] if hard else []
                yield f"sub{'s r3, r2' if hard else f' r3, {half}'}, r3"
                source = "r3"
            if hard:
                name = "and" if after.limits[level, group.first + i] >> by else "orr"
                yield f"{name} r3, r3, {half}"
            yield f"and r3, {source}, {tops}"
            yield f"add r0, r0, r3, lsr #{by}" if level else f"lsr r0, r3, #{by}"
        yield f"mov {acc}, r0"
    yield "pop {r0}"
    yield from _codes(walk, accs)


def _select(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    """USUB sets a flag in each lane, by which SEL takes a code; r0, r2, r12: codes of 0, 1 and 2."""
    codes = [(walk.low + walk.unit * count) % 2**8 * walk.ones for count in range(after.levels + 1)]
    subtract = f"usub{walk.bits}"
    yield from [f"ldr r1, [sp, #{K}]", "push {r0}", *_sum("r1", "r1", 4 * group.size, "r3")]
    for register, code in zip(("r0", "r2", "r12"), codes, strict=False):
        yield f"mov {register}, #0x{code:08x}"
    for acc in accs:
        if after.levels == 1:
            yield from ["ldr r3, [r1], #4", f"{subtract} r3, {acc}, r3", f"sel {acc}, r2, r0"]
            continue
        yield from ["ldmia r1!, {r3, lr}", f"{subtract} r3, {acc}, r3", "sel r3, r2, r0"]
        yield f"{subtract} lr, {acc}, lr"
        if after.levels == 2:
            yield f"sel {acc}, r12, r3"
            continue
        yield from ["sel r3, r12, r3", "ldr lr, [r1], #4", f"{subtract} lr, {acc}, lr"]
        yield from [f"mov lr, #0x{codes[3]:08x}", f"sel {acc}, lr, r3"]
    if walk.lanes and walk.dsp:
        yield from lanes_transpose2.store(walk, accs, Y + 4, _sum)
        yield "pop {r0}"
        return
    yield "pop {r0}"
    yield from _codes(walk, accs, lower=False)


def _codes(walk: Walk, accs: Sequence[str], lower: bool = True) -> Iterator[str]:
    """Store counts: words as they are, or the code of each lane, two lanes at a time."""
    yield f"ldr r1, [sp, #{Y}]"
    if not walk.lanes:
        yield from _store(accs, "r1")
        return
    for first in range(0, len(walk.lanes), 2):
        low, high = walk.lanes[first : first + 2]
        yield from _sum("r2", "r1", high, "r3")
        if first:
            yield from _sum("r1", "r1", low, "r3")
        for i, acc in enumerate(accs):
            if first == 0:
                yield from _lowered(acc, walk) if lower else []
            else:
                yield f"lsr {acc}, {acc}, #{walk.bits}"
            yield from [
                f"strb {acc}, [r1, #{i}]",
                f"lsr {acc}, {acc}, #{walk.bits}",
                f"strb {acc}, [r2, #{i}]",
            ]


def _lowered(acc: str, walk: Walk) -> list[str]:
    """Codes in the low byte of every lane: count + low without borrows between lanes, or 2 * count - 1."""
    if not walk.low:
        return []
    if walk.unit == 2:
        return [f"lsl r3, {acc}, #1", f"rsb r3, r3, {acc}, lsl #8", f"mvn {acc}, r3"]  # 255 - 254 * count
    signs = f"#0x{0x80 * walk.ones:08x}"
    minus = f"#0x{-walk.low * walk.ones:08x}"
    return [f"orr {acc}, {acc}, {signs}", f"sub {acc}, {acc}, {minus}", f"eor {acc}, {acc}, {signs}"]


def _bytes(after: After, group: Group, walk: Walk, accs: Sequence[str]) -> Iterator[str]:
    yield f"ldr r1, [sp, #{Y}]"
    yield from lanes_bytes2.store(after, group, walk, accs, _sum)


AFTER = {
    "shift": _shift,
    "bytes": _bytes,
    "scale": _scale,
    "count": _count,
    "select": _select,
    "halves": _halves,
}
