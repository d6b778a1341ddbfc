"""Group programs in 16-bit instructions (Armv6-M): the same function as in `lanes/c99`; see `text1`."""

from collections.abc import Iterator, Sequence
from functools import partial

from edgeternary.c.assembly import note, size
from edgeternary.c.lanes import stages
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.after import fields as lanes_fields
from edgeternary.c.lanes.butterfly import butterflies
from edgeternary.c.lanes.program import Group, Load, Registers
from edgeternary.c.lanes.text1 import (
    END,
    FIRST,
    LOAD_LIMIT,
    LOW,
    PAIRS,
    PART,
    PUSHED,
    ROWS,
    K,
    Y,
    add,
    constant,
    subtracts,
)
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.lanes.words import additions

REGISTERS = (Registers(accumulators=8, words=2),)
WORDS = ("r1", "r2")
SHORT_BRANCH = 110  # instructions


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    frame = FIRST + PART * after.kept(group)
    lines = [note("r4: y at the end of a row; y, k, rows and that end go to the stack")]
    lines += ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
    lines += [*_row_end(walk), f"sub sp, #{frame}", "mov r5, sp", "stmia r5!, {r1-r4}"]
    lines += after.entry1(walk)
    loop: list[str] = []
    for number, part in enumerate(group.parts):
        less = butterflies(part, group.size)
        text, moved = additions(less or part, WORDS, LOAD_LIMIT, add, partial(_accumulate, set()))
        last = number == len(group.parts) - 1
        loop += [note(group.says(number))]
        if less:
            loop += [note("sums and differences of two outputs"), *_zeros(less, group.size), *text]
            loop += [*_parted(group.size), *_constants(group, number)]
        else:
            loop += [*([] if number and group.cuts else _starts(group, number)), *text]
        if group.cuts and not last:
            place = stages.place(group, after, walk, number + 1)
            loop += [*add("r0", -4 * moved, "r1"), *stages.thumb1(group, number, place, walk)]
            continue
        loop += [*after.saved1(group, number, walk), *add("r0", 4 * (walk.x_step * last - moved), "r1")]
        loop += [note(after.says(last or not after.kept(group)))]
        if walk.routine == group.size:
            loop += [f"ldr r3, [sp, #{frame + PUSHED}]", "blx r3"]
        else:
            loop += after.thumb1(group, number, walk)
    loop.append(note("on to the next output of the row"))
    loop += [] if after.y_stays1 else [f"ldr r1, [sp, #{Y}]"]
    loop += [f"ldr r2, [sp, #{END}]", *add("r1", walk.y_step, "r3"), f"str r1, [sp, #{Y}]", "cmp r1, r2"]
    loop += _back("bne", "beq", size(loop), "2")
    lines += ["1:", *loop, "2:", note("on to the next row")]
    end = [f"ldr r2, [sp, #{ROWS}]", *add("r0", 4 * walk.x_row, "r3"), *add("r1", walk.y_row, "r3")]
    end += [*_row_end(walk), f"str r1, [sp, #{Y}]", f"str r4, [sp, #{END}]", "subs r2, r2, #1"]
    lines += [*end, f"str r2, [sp, #{ROWS}]", *_back("bne", "beq", size(loop) + len(end), "3"), "3:"]
    lines += [f"add sp, #{frame}", "pop {r4-r7}", *(f"mov r{i + 4}, r{i}" for i in range(4, 8))]
    return [*lines, "pop {r4-r7, pc}", *(lanes_fields.bytes_(group, walk) if walk.fields else []), ".ltorg"]


def routine(group: Group, after: After, walk: Walk) -> list[str]:
    """What follows the sums of every group of this size; the frame is that of its caller."""
    return [*after.thumb1(group, len(group.parts) - 1, walk), "bx lr"]


def _row_end(walk: Walk) -> list[str]:
    """r4: y at the end of the row that begins at r1."""
    return [*constant("r4", walk.outputs * walk.y_step), "adds r4, r4, r1"]


def _back(condition: str, opposite: str, distance: int, over: str) -> list[str]:
    """A jump to 1. Far ones use BL, which reaches everywhere: the return address is on the stack."""
    return [f"{condition} 1b"] if distance < SHORT_BRANCH else [f"{opposite} {over}f", "bl 1b"]


def _starts(group: Group, part: int) -> list[str]:
    """Accumulators from the constants; what is subtracted starts with its first word."""
    lines = [f"ldr r1, [sp, #{K}]", *add("r1", 4 * part * group.size, "r2")]
    lines.append(f"ldmia r1!, {{{', '.join(LOW[: group.size])}}}")
    for plus, _ in PAIRS[: max(group.size - len(LOW), 0)]:
        lines += ["ldmia r1!, {r2}", f"mov {plus}, r2"]
    return lines


def _zeros(less: Sequence[Load], size: int) -> Iterator[str]:
    """Accumulators, and what is subtracted where no word is."""
    yield from (f"movs {register}, #0" for register in LOW[:size])
    for index in range(len(LOW), size):
        plus, minus = PAIRS[index - len(LOW)]
        yield from [f"mov {plus}, {LOW[0]}", *([] if subtracts(index, less) else [f"mov {minus}, {LOW[0]}"])]


def _parted(size: int) -> Iterator[str]:
    """The two outputs from A and B; r1 and r2 are free."""
    for first in range(0, size - 1, 2):
        if first + 1 < len(LOW):
            a, b = LOW[first : first + 2]
            yield from [f"subs r1, {a}, {b}", f"adds {a}, {a}, {b}", f"movs {b}, r1"]
        elif first < len(LOW):
            a, (plus, minus) = LOW[first], PAIRS[0]
            yield from [f"mov r1, {plus}", f"mov r2, {minus}", "subs r1, r1, r2", f"subs r2, {a}, r1"]
            yield from [f"adds {a}, {a}, r1", f"mov {plus}, r2", "movs r1, #0", f"mov {minus}, r1"]
        else:
            (plus, minus), (plus2, minus2) = PAIRS[first - len(LOW) :][:2]
            yield from [
                f"mov r1, {plus}",
                f"mov r2, {minus}",
                f"add {plus}, {plus2}",
                f"add {minus}, {minus2}",
            ]
            yield from [f"add r1, {minus2}", f"add r2, {plus2}", f"mov {plus2}, r1", f"mov {minus2}, r2"]


def _constants(group: Group, part: int) -> Iterator[str]:
    """What the sums start from, on top of them."""
    yield from [f"ldr r1, [sp, #{K}]", *add("r1", 4 * part * group.size, "r2")]
    for index in range(group.size):
        low = index < len(LOW)
        register = LOW[index] if low else PAIRS[index - len(LOW)][0]
        yield from ["ldmia r1!, {r2}", f"adds {register}, {register}, r2" if low else f"add {register}, r2"]


def _accumulate(begun: set[str], terms: Sequence[tuple[int, int]], word: str) -> Iterator[str]:
    """Small digits first, since the word itself is shifted between them."""
    shift = 0
    for index, digit in sorted(terms, key=lambda term: abs(term[1])):
        further = abs(digit).bit_length() - 1 - shift
        yield from [f"lsls {word}, {word}, #{further}"] if further else []
        shift += further
        yield _added(begun, index, digit, word)


def _added(begun: set[str], index: int, sign: int, word: str) -> str:
    """The first word that a pair subtracts is moved; `begun` tells of the others."""
    if index < len(LOW):
        return f"{'adds' if sign > 0 else 'subs'} {LOW[index]}, {LOW[index]}, {word}"
    register = PAIRS[index - len(LOW)][sign < 0]
    name = "add" if sign > 0 or register in begun else "mov"
    begun.add(register)
    return f"{name} {register}, {word}"
