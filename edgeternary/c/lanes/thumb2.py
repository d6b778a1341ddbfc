"""Group programs as Thumb-2: the same function as in `lanes/c99`, in assembly; see `text2`."""

from collections.abc import Iterator, Sequence
from functools import partial

from edgeternary.c.assembly import note
from edgeternary.c.lanes import stages
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.butterfly import butterflies
from edgeternary.c.lanes.digits import split
from edgeternary.c.lanes.program import Group, Registers
from edgeternary.c.lanes.text2 import END, FIRST, LOAD_LIMIT, PUSHED, ROWS, K, Y, add, constant
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.lanes.words import additions

REGISTERS = tuple(Registers(accumulators=count, words=13 - count, triples=True) for count in (8, 9, 10))
ACCUMULATORS = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr")
FREE = ("r1", "r2", "r3")  # for words, with the accumulators that no group needs
LOW = ("r1", "r2", "r3", "r4", "r5", "r6", "r7")


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    accs = ACCUMULATORS[: group.size]
    frame = FIRST + 4 * group.size * after.kept(group)
    lines = [note("r4: y at the end of a row; y, k, rows and that end go to the stack")]
    lines += ["push {r4-r11, lr}", *_row_end(walk), *_saved(frame), "1:"]
    for number, part in enumerate(group.parts):
        lines += [note(group.says(number))]
        less = butterflies(part, group.size)
        if less:
            lines += [note("sums and differences of two outputs"), *(f"mov {acc}, #0" for acc in accs)]
        elif not (number and group.cuts):
            lines += _starts(group, number, accs)
        last = number == len(group.parts) - 1
        words = (*FREE, *ACCUMULATORS[max(len(accs), 8) :])
        text, moved = additions(less or part, words, LOAD_LIMIT, add, partial(_accumulate, accs))
        lines += [*text, *add("r0", 4 * (walk.x_step * last - moved), "r1")]
        lines += _parted(group, number, accs) if less else []
        if group.cuts and not last:
            place = stages.place(group, after, walk, number + 1)
            lines += stages.thumb2(group.cuts[number], place, accs, walk)
            continue
        lines += [note(after.says(last or not after.kept(group)))]
        if walk.routine == group.size:
            lines += [f"ldr lr, [sp, #{frame + PUSHED}]", "blx lr"]
        else:
            lines += after.thumb2(group, number, walk, accs)
    lines.append(note("on to the next output of the row"))
    lines += [] if after.y_stays2 else [f"ldr r1, [sp, #{Y}]"]
    lines += [f"ldr r2, [sp, #{END}]", *add("r1", walk.y_step, "r3"), f"str r1, [sp, #{Y}]"]
    lines += ["cmp r1, r2", "bne 1b", note("on to the next row")]
    lines += [f"ldr r2, [sp, #{ROWS}]", *add("r0", 4 * walk.x_row, "r3"), *add("r1", walk.y_row, "r3")]
    lines += [*_row_end(walk), "subs r2, r2, #1", f"str r1, [sp, #{Y}]", f"str r2, [sp, #{ROWS}]"]
    return [*lines, f"str r4, [sp, #{END}]", "bne 1b", f"add sp, sp, #{frame}", "pop {r4-r11, pc}"]


def routine(group: Group, after: After, walk: Walk) -> list[str]:
    """What follows the sums of every group of this size; the frame is that of its caller."""
    return list(after.routine2(group, walk, ACCUMULATORS[: group.size]))


def _starts(group: Group, part: int, accs: Sequence[str]) -> list[str]:
    """Accumulators from the constants."""
    lines = [f"ldr r1, [sp, #{K}]", *add("r1", 4 * part * group.size, "r2")]
    return [*lines, f"ldmia r1, {{{', '.join(accs)}}}" if group.size > 1 else f"ldr {accs[0]}, [r1]"]


def _parted(group: Group, part: int, accs: Sequence[str]) -> Iterator[str]:
    """The two outputs from A and B, and constants on top of them."""
    for a, b in zip(accs[::2], accs[1::2], strict=False):
        yield from [f"add {a}, {b}", f"sub {b}, {a}, {b}, lsl #1"]
    yield from [f"ldr r1, [sp, #{K}]", *add("r1", 4 * part * group.size, "r2")]
    for i in range(0, len(accs), 2):
        some = accs[i : i + 2]
        yield "ldmia r1!, {r2, r3}" if len(some) == 2 else "ldr r2, [r1]"
        yield from (f"add {acc}, {register}" for acc, register in zip(some, ("r2", "r3"), strict=False))


def _row_end(walk: Walk) -> list[str]:
    """r4: y at the end of the row that begins at r1."""
    return [*constant("r4", walk.outputs * walk.y_step), "add r4, r4, r1"]


def _saved(frame: int) -> list[str]:
    """r1-r4 at the bottom of a frame."""
    return [f"sub sp, sp, #{frame - FIRST}"] * (frame > FIRST) + ["push {r1-r4}"]


def _accumulate(accs: Sequence[str], terms: Sequence[tuple[int, int]], word: str) -> Iterator[str]:
    """The narrow form where there is one: differences of r0-r7, and sums everywhere."""
    tripled = False
    for index, digit in terms:
        acc, (odd, shift) = accs[index], split(digit)
        if odd == 3 and not tripled:
            tripled = True
            yield f"add {word}, {word}, {word}, lsl #1"
        if shift:
            yield f"{'add' if digit > 0 else 'sub'} {acc}, {acc}, {word}, lsl #{shift}"
        elif digit > 0:
            yield f"add {acc}, {word}"
        else:
            yield f"{'subs' if acc in LOW and word in LOW else 'sub'} {acc}, {acc}, {word}"
