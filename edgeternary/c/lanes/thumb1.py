"""Group programs for a Cortex-M0+: the same function as in `lanes/c99`, in 16-bit instructions.

r0          words of the input               r1, r2    loaded words, then temporaries
r3-r7       accumulators 0-4                 r8-r12, lr  accumulators 5-7, each as a pair: what is added,
                                             and what is subtracted, since high registers can only be added to
[sp]        y, constants, rows left, y at the end of a row, then the sums when all are there, and
            those of the first part where a sum is halved
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from edgeternary.c.lanes import compare1 as lanes_compare1
from edgeternary.c.lanes import fields as lanes_fields
from edgeternary.c.lanes import to_bytes1 as lanes_bytes1
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.program import Group, Load, Registers
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.lanes.words import additions

REGISTERS = (Registers(accumulators=8, words=2),)
WORDS = ("r1", "r2")
LOW = ("r3", "r4", "r5", "r6", "r7")
PAIRS = (("r8", "r9"), ("r10", "r11"), ("r12", "lr"))
Y, K, ROWS, END, SUMS = 0, 4, 8, 12, 16
FIRST = SUMS + 4 * 8
APART = SUMS  # to y of the high lane, where no sums are kept
Y_STAYS = ("bytes",)  # in r1
PUSHED = 4 * 9  # bytes; behind them is the fifth argument
LOAD_LIMIT = 124
SHORT_BRANCH = 110  # instructions


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    lines = ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
    lines += [*_row_end(walk), f"sub sp, #{_frame(after)}", "mov r5, sp", "stmia r5!, {r1-r4}"]
    if after.kind == "bytes":
        lines += [*_constant("r4", walk.lanes[1]), f"str r4, [sp, #{APART}]"]
    loop: list[str] = []
    for number, part in enumerate(group.parts):
        loop += _starts(group, number)
        text, moved = additions(part, WORDS, LOAD_LIMIT, _add, partial(_accumulate, set()))
        last = number == len(group.parts) - 1
        loop += text
        forward = _add("r0", 4 * ((walk.x_step if last else 0) - moved), "r1")
        if after.kind == "bytes":
            loop += forward
            continue
        loop += _low_sums(group.size, SUMS if last or after.kind != "halves" else FIRST)
        if not (walk.fields and last):
            loop += _high_sums(group.size, part)
        loop += forward
        if after.kind == "sums":
            loop += _store_sums(group, 4 * number * walk.apart)
    if walk.fields:
        loop += _fields(after, group, walk)
    elif after.kind != "sums":
        loop += AFTER[after.kind](after, group, walk)
    loop += [] if after.kind in Y_STAYS else [f"ldr r1, [sp, #{Y}]"]
    loop += [f"ldr r2, [sp, #{END}]", *_add("r1", walk.y_step, "r3"), f"str r1, [sp, #{Y}]", "cmp r1, r2"]
    loop += _back("bne", "beq", len(loop), "2")
    lines += ["1:", *loop, "2:"]
    end = [f"ldr r2, [sp, #{ROWS}]", *_add("r0", 4 * walk.x_row, "r3"), *_add("r1", walk.y_row, "r3")]
    end += [*_row_end(walk), f"str r1, [sp, #{Y}]", f"str r4, [sp, #{END}]", "subs r2, r2, #1"]
    lines += [*end, f"str r2, [sp, #{ROWS}]", *_back("bne", "beq", len(loop) + len(end), "3"), "3:"]
    lines += [f"add sp, #{_frame(after)}", "pop {r4-r7}", *(f"mov r{i + 4}, r{i}" for i in range(4, 8))]
    return [*lines, "pop {r4-r7, pc}", *(lanes_fields.bytes_(group, walk) if walk.fields else []), ".ltorg"]


def _row_end(walk: Walk) -> list[str]:
    """r4: y at the end of the row that begins at r1."""
    return [*_constant("r4", walk.outputs * walk.y_step), "adds r4, r4, r1"]


def _frame(after: After) -> int:
    return FIRST + (4 * 8 if after.kind == "halves" else 0)


def _back(condition: str, opposite: str, distance: int, over: str) -> list[str]:
    """A jump to 1. Far ones use BL, which reaches everywhere: the return address is on the stack."""
    return [f"{condition} 1b"] if distance < SHORT_BRANCH else [f"{opposite} {over}f", "bl 1b"]


def _constant(register: str, value: int) -> list[str]:
    """A number from 0 to 2^32 - 1, byte by byte."""
    zeros = 0
    while value > 255 and value % 2 == 0:
        value, zeros = value // 2, zeros + 1
    top = max((value.bit_length() - 1) // 8 * 8, 0)
    lines = [f"movs {register}, #{value >> top}"]
    for at in range(top - 8, -1, -8):
        lines.append(f"lsls {register}, {register}, #8")
        if value >> at & 255:
            lines.append(f"adds {register}, #{value >> at & 255}")
    return lines + ([f"lsls {register}, {register}, #{zeros}"] if zeros else [])


def _replicated(register: str, value: int, walk: Walk, spare: str) -> list[str]:
    """`value`, of at most 8 bits, in every lane."""
    lines, bits = _constant(register, value), 16
    while bits >= walk.bits:
        lines += [f"lsls {spare}, {register}, #{bits}", f"orrs {register}, {spare}"]
        bits //= 2
    return lines


def _add(register: str, count: int, spare: str) -> list[str]:
    name = "adds" if count > 0 else "subs"
    count = abs(count)
    if count <= 510:
        pieces = [min(count, 255), max(count - 255, 0)]
        return [f"{name} {register}, #{piece}" for piece in pieces if piece]
    return [*_constant(spare, count), f"{name} {register}, {register}, {spare}"]


def _starts(group: Group, part: int) -> list[str]:
    """Accumulators from the constants; what is subtracted starts with its first word."""
    lines = [f"ldr r1, [sp, #{K}]", *_add("r1", 4 * part * group.size, "r2")]
    lines.append(f"ldmia r1!, {{{', '.join(LOW[: group.size])}}}")
    for plus, _ in PAIRS[: max(group.size - len(LOW), 0)]:
        lines += ["ldmia r1!, {r2}", f"mov {plus}, r2"]
    return lines


def _accumulate(begun: set[str], index: int, sign: int, word: str) -> str:
    """The first word that a pair subtracts is moved; `begun` tells of the others."""
    if index < len(LOW):
        return f"{'adds' if sign > 0 else 'subs'} {LOW[index]}, {LOW[index]}, {word}"
    register = PAIRS[index - len(LOW)][sign < 0]
    name = "add" if sign > 0 or register in begun else "mov"
    begun.add(register)
    return f"{name} {register}, {word}"


def _low_sums(size: int, place: int) -> list[str]:
    """The sums of low registers into the frame, so that these are free."""
    return [f"add r1, sp, #{place}", f"stmia r1!, {{{', '.join(LOW[:size])}}}"]


def _high_sums(size: int, part: Sequence[Load]) -> Iterator[str]:
    """The others behind them."""
    for index in range(len(LOW), size):
        yield from [*_difference(index, part), "stmia r1!, {r2}"]


def _difference(index: int, part: Sequence[Load], register: str = "r2", spare: str = "r3") -> list[str]:
    """The sum of a pair; where nothing is subtracted, its second register was never written."""
    plus, minus = PAIRS[index - len(LOW)]
    subtracted = (index, -1) in {term for load in part for terms in load.terms for term in terms}
    lines = [f"mov {spare}, {minus}", f"subs {register}, {register}, {spare}"] if subtracted else []
    return [f"mov {register}, {plus}", *lines]


def _halved(after: After, channel: int, i: int, walk: Walk) -> list[str]:
    """r3, for `halves`: half of it and of output i of the first part."""
    if after.kind != "halves":
        return []
    return [f"ldr r4, [sp, #{FIRST + 4 * i}]", *lanes_compare1.halve(after, channel, walk.bits)]


def _fields(after: After, group: Group, walk: Walk) -> Iterator[str]:
    """Channels 4-7 first: that of r1 waits in r8, which is free then."""
    yield f"ldr r6, {lanes_compare1.tops(walk.bits, walk.ones)}"
    for first in range(group.size - lanes_fields.CHANNELS, -1, -lanes_fields.CHANNELS):
        for i in range(first, first + lanes_fields.CHANNELS):
            channel = group.first + i
            if i < len(LOW):
                yield f"ldr r3, [sp, #{SUMS + 4 * i}]"
            else:
                yield from _difference(i, group.parts[-1], "r3", "r4")
            yield from _halved(after, channel, i, walk)
            yield from lanes_fields.insert(after, channel, walk, i == first)
        if first:
            yield "mov r8, r1"
    if group.size > lanes_fields.CHANNELS:
        yield "mov r2, r8"
    yield from lanes_fields.store(group, walk, _add, Y, _frame(after) + PUSHED)


def _store_sums(group: Group, apart: int) -> Iterator[str]:
    yield from [f"add r1, sp, #{SUMS}", f"ldr r2, [sp, #{Y}]", *_add("r2", apart, "r3")]
    for first in range(0, group.size, 4):
        names = ", ".join(LOW[1:][: group.size - first])
        yield from [f"ldmia r1!, {{{names}}}", f"stmia r2!, {{{names}}}"]


HIGH = ("r8", "r9", "r10")  # where the codes of the other lanes go


def _prepare(walk: Walk) -> Iterator[str]:
    """r4: 1 in every lane; r5: y; r6: the constants; r8-r10: y of the other lanes."""
    yield from _replicated("r4", 1, walk, "r2")
    yield from [f"ldr r6, [sp, #{K}]", *_places(walk, "r5")]


def _places(walk: Walk, y: str, literals: bool = False) -> Iterator[str]:
    """y, and r8-r10 for the other lanes; `literals` may be loaded."""
    yield f"ldr {y}, [sp, #{Y}]"
    for register, apart in zip(HIGH, walk.lanes[1:], strict=False):
        yield from [f"ldr r2, =0x{apart:x}"] if literals else _constant("r2", apart)
        yield from [f"adds r2, r2, {y}", f"mov {register}, r2"]


def _store(i: int, walk: Walk, y: str = "r5") -> Iterator[str]:
    """r1 to output i; r2 and r3 are free."""
    if not walk.lanes:
        yield f"str r1, [{y}, #{4 * i}]"
        return
    for lane in range(len(walk.lanes)):
        if lane:
            yield from [f"lsrs r1, r1, #{walk.bits}", f"mov r2, {HIGH[lane - 1]}"]
        source = "r3" if walk.low else "r1"
        if walk.unit == 2:
            yield from ["lsls r3, r1, #1", "subs r3, #1"]
        elif walk.low:
            yield from ["movs r3, r1", f"subs r3, #{-walk.low}"]
        yield f"strb {source}, [{'r2' if lane else y}, #{i}]"


def _constant_of(index: int, register: str) -> list[str]:
    """Word `index` of the constants."""
    if 4 * index <= LOAD_LIMIT:
        return [f"ldr {register}, [r6, #{4 * index}]"]
    return [*_constant(register, 4 * index), f"ldr {register}, [r6, {register}]"]


def _shift(after: After, group: Group, walk: Walk) -> Iterator[str]:
    yield from _prepare(walk)
    known, by = -1, walk.bits - 1
    for i in range(group.size):
        s, hard = int(after.shift[group.first + i]), bool(after.hard[group.first + i])
        width = min(after.top, by - s)
        if width != known:
            yield from _replicated("r7", 2**width - 1, walk, "r2")
            known = width
        yield from [f"ldr r1, [sp, #{SUMS + 4 * i}]", f"lsrs r2, r1, #{by}", "ands r2, r4"]
        yield from [f"lsls r3, r2, #{by}", "subs r3, r3, r2", "ands r1, r3"]
        if hard:
            yield from [
                *_constant_of(group.size + i, "r2"),
                "adds r2, r2, r1",
                f"lsrs r2, r2, #{by}",
                "ands r2, r4",
            ]
            yield from [f"lsls r3, r2, #{after.top}", "subs r3, r3, r2"]
        yield from [
            *([f"lsrs r1, r1, #{s}"] if s else []),
            "ands r1, r7",
            *(["orrs r1, r3"] if hard else []),
        ]
        yield from _store(i, walk)


def _scale(after: After, group: Group, walk: Walk) -> Iterator[str]:
    """r2, r3: the two lanes; r6: constants; r7: the largest number. Beyond it, ~x >> 31 is 0 or all ones."""
    yield from _prepare(walk)
    yield from [*_add("r6", 4 * group.size, "r2"), *_constant("r7", 2**after.top - 1)]
    for i in range(group.size):
        yield from [f"ldr r1, [sp, #{SUMS + 4 * i}]", "lsls r4, r4, #15", "eors r1, r4", "lsrs r4, r4, #15"]
        yield from ["sxth r2, r1", "asrs r3, r1, #16", "ldmia r6!, {r1}", "muls r2, r1", "muls r3, r1"]
        yield "ldmia r6!, {r1}"
        for lane in ("r2", "r3"):
            yield from [f"adds {lane}, {lane}, r1"]
            if after.shift[group.first + i]:
                yield f"asrs {lane}, {lane}, #{after.shift[group.first + i]}"
            yield from [f"cmp {lane}, r7", "bls 9f", f"mvns {lane}, {lane}", f"asrs {lane}, {lane}, #31"]
            yield from [f"ands {lane}, r7", "9:"]
        yield from ["lsls r3, r3, #16", "orrs r3, r2", "movs r1, r3", *_store(i, walk)]


def _count(after: After, group: Group, walk: Walk) -> Iterator[str]:
    """r0, which waits in r11: y; r7: 1 in every lane. Where there is much to do, literals come in between."""
    yield from [
        "mov r11, r0",
        *_places(walk, "r0", literals=True),
        f"ldr r6, {lanes_compare1.tops(walk.bits, walk.ones)}",
    ]
    since, ones = 0, False
    lowered = walk.low == -1  # counts become codes in all lanes at once
    for i in range(group.size):
        channel = group.first + i
        lines = [f"ldr r3, [sp, #{SUMS + 4 * i}]", *_halved(after, channel, i, walk)]
        lines += lanes_compare1.count(after, channel, walk.bits, walk.ones)
        ones = ones and not after.hard[channel]
        if lowered:
            lines += [] if ones else [f"lsrs r7, r6, #{walk.bits - 1}"]
            lines += ["lsls r1, r1, #1"] if walk.unit == 2 else []
            lines += ["orrs r1, r6", "subs r1, r1, r7", "eors r1, r6"]
            ones = True
        lines += _store(i, replace(walk, low=0, unit=1) if lowered else walk, "r0")
        yield from lines
        since += len(lines)
        if since > lanes_compare1.POOL_EVERY:
            yield from ["b 9f", ".ltorg", "9:"]
            since = 0
    yield "mov r0, r11"


def _bytes(after: After, group: Group, walk: Walk) -> Iterator[str]:
    frame = {"y": Y, "apart": APART, "x": APART + 4, "sum": APART + 8, "codes": _frame(after) + PUSHED}
    yield from lanes_bytes1.store(after, group, LOW, partial(_difference_of, group.parts[-1]), frame)


def _difference_of(part: Sequence[Load], index: int, register: str, spare: str) -> list[str]:
    return _difference(index, part, register, spare)


AFTER = {"shift": _shift, "bytes": _bytes, "scale": _scale, "count": _count, "halves": _count}
