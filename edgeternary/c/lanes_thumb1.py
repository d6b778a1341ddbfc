"""Group programs for a Cortex-M0+: the same function as in `lanes_c`, in 16-bit instructions.

r0          words of the input               r1, r2    loaded words, then temporaries
r3-r7       accumulators 0-4                 r8-r12, lr  accumulators 5-7, each as a pair: what is added,
                                             and what is subtracted, since high registers can only be added to
[sp]        y, constants, rows left, outputs left of a row, then the sums when all are there
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes_after import After
from edgeternary.c.lanes_program import Group, Load, Registers
from edgeternary.c.lanes_walk import Walk

REGISTERS = (Registers(accumulators=8, words=2),)
LOW = ("r3", "r4", "r5", "r6", "r7")
PAIRS = (("r8", "r9"), ("r10", "r11"), ("r12", "lr"))
Y, K, ROWS, LEFT, SUMS = 0, 4, 8, 12, 16
FRAME = SUMS + 4 * 8
LOAD_LIMIT = 124
SHORT_BRANCH = 110  # instructions


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    lines = ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
    lines += [*_constant("r4", walk.outputs), f"sub sp, #{FRAME}", "mov r5, sp", "stmia r5!, {r1-r4}"]
    loop: list[str] = []
    for number, part in enumerate(group.parts):
        loop += _starts(group, number)
        text, moved = _additions(part)
        last = number == len(group.parts) - 1
        loop += text
        loop += [*_finish(group.size)]
        loop += _add("r0", 4 * ((walk.x_step if last else 0) - moved), "r3")
        if after.kind == "sums":
            loop += _store_sums(group, 4 * number * walk.apart)
    if after.kind != "sums":
        loop += AFTER[after.kind](after, group, walk)
    loop += [f"ldr r1, [sp, #{Y}]", f"ldr r2, [sp, #{LEFT}]", *_add("r1", walk.y_step, "r3")]
    loop += [f"str r1, [sp, #{Y}]", "subs r2, r2, #1", f"str r2, [sp, #{LEFT}]"]
    loop += _back("bne", "beq", len(loop), "2")
    lines += ["1:", *loop, "2:"]
    end = [f"ldr r2, [sp, #{ROWS}]", *_add("r0", 4 * walk.x_row, "r3"), *_add("r1", walk.y_row, "r3")]
    end += [
        *_constant("r4", walk.outputs),
        f"str r1, [sp, #{Y}]",
        f"str r4, [sp, #{LEFT}]",
        "subs r2, r2, #1",
    ]
    lines += [*end, f"str r2, [sp, #{ROWS}]", *_back("bne", "beq", len(loop) + len(end), "3"), "3:"]
    lines += [f"add sp, #{FRAME}", "pop {r4-r7}", *(f"mov r{i + 4}, r{i}" for i in range(4, 8))]
    return [*lines, "pop {r4-r7, pc}"]


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
    """Accumulators from the constants; what is subtracted starts from 0."""
    low, high = LOW[: group.size], PAIRS[: max(group.size - len(LOW), 0)]
    lines = [f"ldr r1, [sp, #{K}]", *_add("r1", 4 * part * group.size, "r2")]
    lines.append(f"ldmia r1!, {{{', '.join(low)}}}")
    for plus, _ in high:
        lines += ["ldmia r1!, {r2}", f"mov {plus}, r2"]
    return lines + (["movs r2, #0", *(f"mov {minus}, r2" for _, minus in high)] if high else [])


def _additions(part: Sequence[Load]) -> tuple[list[str], int]:
    """Instructions, and how many words further r0 is."""
    lines: list[str] = []
    behind = at = 0
    for load in part:
        count, gap = len(load.terms), behind + load.skip
        if count == 1 and 4 * gap <= LOAD_LIMIT:
            lines.append(f"ldr r1, [r0, #{4 * gap}]")
            behind = gap + 1
        else:
            lines += _add("r0", 4 * gap, "r1")
            lines.append(f"ldmia r0!, {{{', '.join(f'r{1 + i}' for i in range(count))}}}")
            at += gap + count
            behind = 0
        for i, terms in enumerate(load.terms):
            for index, sign in terms:
                if index < len(LOW):
                    lines.append(f"{'adds' if sign > 0 else 'subs'} {LOW[index]}, {LOW[index]}, r{1 + i}")
                else:
                    lines.append(f"add {PAIRS[index - len(LOW)][sign < 0]}, r{1 + i}")
    return lines, at


def _finish(size: int) -> Iterator[str]:
    """The sums into the frame; low registers are free afterwards."""
    yield f"add r1, sp, #{SUMS}"
    yield f"stmia r1!, {{{', '.join(LOW[:size])}}}"
    for plus, minus in PAIRS[: max(size - len(LOW), 0)]:
        yield from [f"mov r2, {plus}", f"mov r3, {minus}", "subs r2, r2, r3", "stmia r1!, {r2}"]


def _store_sums(group: Group, apart: int) -> Iterator[str]:
    yield from [f"add r1, sp, #{SUMS}", f"ldr r2, [sp, #{Y}]", *_add("r2", apart, "r3")]
    for first in range(0, group.size, 4):
        names = ", ".join(LOW[1:][: group.size - first])
        yield from [f"ldmia r1!, {{{names}}}", f"stmia r2!, {{{names}}}"]


HIGH = ("r8", "r9", "r10")  # where the codes of the other lanes go


def _prepare(walk: Walk) -> Iterator[str]:
    """r4: 1 in every lane; r5: y; r6: the constants; r8-r10: y of the other lanes."""
    yield from _replicated("r4", 1, walk, "r2")
    yield from [f"ldr r5, [sp, #{Y}]", f"ldr r6, [sp, #{K}]"]
    for register, apart in zip(HIGH, walk.lanes[1:], strict=False):
        yield from [*_constant("r2", apart), "adds r2, r2, r5", f"mov {register}, r2"]


def _store(i: int, walk: Walk) -> Iterator[str]:
    """r1 to output i; r2 and r3 are free."""
    if not walk.lanes:
        yield f"str r1, [r5, #{4 * i}]"
        return
    for lane in range(len(walk.lanes)):
        if lane:
            yield from [f"lsrs r1, r1, #{walk.bits}", f"mov r2, {HIGH[lane - 1]}"]
        source = "r3" if walk.low else "r1"
        if walk.unit == 2:
            yield from ["lsls r3, r1, #1", "subs r3, #1"]
        elif walk.low:
            yield from ["movs r3, r1", f"subs r3, #{-walk.low}"]
        yield f"strb {source}, [{'r2' if lane else 'r5'}, #{i}]"


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
    """r2: the sum; r3: its limit, or the sum with its highest bits set; r5: a comparison; r1 counts."""
    yield from _prepare(walk)
    by = walk.bits - 1
    hard = after.hard[group.first : group.first + group.size]
    if hard.any():
        yield f"lsls r7, r4, #{by}"
    for i in range(group.size):
        yield f"ldr r2, [sp, #{SUMS + 4 * i}]"
        yield from _count_all_bits(after, group, i, by) if hard[i] else _count_one(after, group, i, by)
        if hard[i]:
            yield f"ldr r5, [sp, #{Y}]"
        yield from _store(i, walk)


def _count_one(after: After, group: Group, i: int, by: int) -> Iterator[str]:
    yield from [f"lsrs r1, r2, #{by}", "ands r1, r4"]
    for level in range(1, after.levels):
        yield from [
            *_constant_of((level + 1) * group.size + i, "r3"),
            "subs r2, r2, r3",
            f"lsrs r3, r2, #{by}",
        ]
        yield from ["ands r3, r4", "adds r1, r1, r3"]


def _count_all_bits(after: After, group: Group, i: int, by: int) -> Iterator[str]:
    yield from ["movs r3, r2", "orrs r3, r7"]
    for level in range(after.levels):
        name = "ands" if after.limits[level, group.first + i] >> by else "orrs"
        yield from [*_constant_of((level + 1) * group.size + i, "r5"), "subs r5, r3, r5", f"{name} r5, r2"]
        yield from [f"lsrs r5, r5, #{by}", "ands r5, r4", "adds r1, r1, r5" if level else "movs r1, r5"]


AFTER = {"shift": _shift, "scale": _scale, "count": _count}
