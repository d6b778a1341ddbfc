"""Rows of natural bytes to lanes in 16-bit instructions: four elements of each lane are loaded as a word.

Where a lane begins k bytes after a multiple of 4, its elements are in two words, the first shifted right by
8 k bits and the second left by 32 - 8 k; both words hold elements of the lane, so nothing is read that is not
in a word with them. How far lanes are apart is known: one routine serves all rows with the same k of lane 0.

r0, r1      lane 0, which says when the row ends, and the words     r2-r5   elements
r6, r7      masks                                                   r8-r10  from lane 0 to the others
r11         a constant to add                                       r12     the end of lane 0
"""

from collections.abc import Sequence

from edgeternary.c.assembly import note
from edgeternary.c.lanes import segments as lanes_segments
from edgeternary.c.layouts import Words, lane_unit
from edgeternary.ir import Type, Value

AT_ONCE = 4
DISTANCES = ("r8", "r9", "r10")
BYTES = 0x01010101
SHORT_BRANCH = 125  # 16-bit instructions, back from a conditional branch


def fits(value: Value, layout: Words) -> bool:
    """Whether types need no carries between bytes."""
    kind = value.type
    if kind.dtype.itemsize != 1:
        return False
    return kind.lo in (0, -128) if layout.lanes == 2 else (kind.hi - kind.lo) // lane_unit(kind) <= 3


def row(value: Value, layout: Words, k: int) -> list[str]:
    """A routine (x of lane 0, words, end of x) for x % 4 == k; instructions, one a line."""
    distances = lanes_segments.apart(layout, value)
    lines = ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
    lines += [f"subs r0, #{k}", f"subs r2, #{k}"] if k else []
    for register, distance in zip(DISTANCES, distances[1:], strict=False):
        lines += [f"ldr r3, =0x{(k + distance) // 4 * 4:x}", f"mov {register}, r3"]
    offsets = [(k + distance) % 4 for distance in distances]
    before, turn = _two(value.type, offsets) if layout.lanes == 2 else _four(value.type, offsets)
    lines += [
        *before,
        "mov r12, r2",
        note("four elements of each lane, joined from two words where a lane is not aligned"),
    ]
    if 2 * len(turn) < SHORT_BRANCH:
        lines += ["subs r3, r2, r0", "lsls r3, r3, #29", "bmi 2f", "1:", *turn, "2:", *turn]
    else:
        lines += ["1:", *turn]
    lines += ["cmp r0, r12", "bne 1b"]
    lines += ["pop {r4-r7}", *(f"mov r{i + 4}, r{i}" for i in range(4, 8))]
    return [*lines, "pop {r4-r7, pc}", ".ltorg"]


def _load(to: str, distance: str, offset: int, spare: str) -> list[str]:
    """Four elements of another lane."""
    lines = [f"mov {to}, {distance}"]
    if not offset:
        return [*lines, f"ldr {to}, [r0, {to}]"]
    lines += [f"ldr {spare}, [r0, {to}]", f"adds {to}, #4", f"ldr {to}, [r0, {to}]"]
    return [*lines, *_joined(spare, to, offset), f"orrs {to}, {spare}"]


def _next(to: str, offset: int, spare: str) -> list[str]:
    """Four elements of lane 0, which moves on."""
    if not offset:
        return [f"ldmia r0!, {{{to}}}"]
    return [
        f"ldr {spare}, [r0, #4]",
        f"ldmia r0!, {{{to}}}",
        *_joined(to, spare, offset),
        f"orrs {to}, {spare}",
    ]


def _joined(first: str, second: str, offset: int) -> list[str]:
    return [f"lsrs {first}, {first}, #{8 * offset}", f"lsls {second}, {second}, #{32 - 8 * offset}"]


def _two(type: Type, offsets: Sequence[int]) -> tuple[list[str], list[str]]:
    """The upper half of lane 0 and the lower one of lane 1 change places, then odd bytes go apart."""
    before = [f"ldr r6, =0x{0x80 * BYTES:08x}"] if type.lo else []
    raised = ["eors r2, r6", "eors r4, r6"] if type.lo else []
    lines = [*_load("r4", DISTANCES[0], offsets[1], "r3"), *_next("r2", offsets[0], "r3"), *raised]
    lines += [
        "lsrs r3, r2, #16",
        "eors r3, r4",
        "uxth r3, r3",
        "eors r4, r3",
        "lsls r3, r3, #16",
        "eors r2, r3",
    ]
    lines += ["lsrs r3, r2, #8", "lsrs r5, r4, #8", *(f"ands r{i}, r7" for i in range(2, 6))]
    return [*before, "ldr r7, =0x00ff00ff"], [*lines, "stmia r1!, {r2-r5}"]


def _four(type: Type, offsets: Sequence[int]) -> tuple[list[str], list[str]]:
    """Two bits an element: lanes 0 and 2 share bytes in r2, lanes 1 and 3 in r5.

    Then odd bytes of r2 and even ones of r5 change places: r2 has elements 0 and 2 of all lanes, r5 1 and 3.
    A half word has an element in bits 0, 8, 4, 12 for lanes 0, 1, 2, 3; the upper two move up by 12.
    """
    signed, unit = type.lo < 0, lane_unit(type)
    before = [f"ldr r6, =0x{3 * BYTES:08x}", "ldr r7, =0x00ff00ff"]
    before += [f"ldr r3, =0x{-type.lo % 4 * 0x11111111:08x}", "mov r11, r3"] if signed else []
    masked = [["ands r5, r6", "ands r4, r6"], ["ands r2, r6", "ands r3, r6"]] if signed else [[], []]
    lines = [*_load("r5", DISTANCES[0], offsets[1], "r2"), *_load("r4", DISTANCES[2], offsets[3], "r2")]
    lines += [*masked[0], "lsls r4, r4, #4", "orrs r5, r4"]
    lines += [*_load("r3", DISTANCES[1], offsets[2], "r2"), *_next("r2", offsets[0], "r4")]
    lines += [*masked[1], "lsls r3, r3, #4", "orrs r2, r3"]
    lines += ["add r2, r11", "add r5, r11"] if signed else []
    lines += [
        "lsrs r3, r2, #8",
        "eors r3, r5",
        "ands r3, r7",
        "eors r5, r3",
        "lsls r3, r3, #8",
        "eors r2, r3",
    ]
    for source in ("r2", "r5"):
        lines += [f"uxth r3, {source}", *_spread("r3", "r4", unit), "stmia r1!, {r3}"]
    for source in ("r2", "r5"):
        lines += [f"lsrs {source}, {source}, #16", *_spread(source, "r3", unit)]
    return before, [*lines, "stmia r1!, {r2, r5}"]


def _spread(word: str, spare: str, unit: int) -> list[str]:
    lines = [f"lsls {spare}, {word}, #12", f"orrs {word}, {spare}", f"ands {word}, r6"]
    return lines + ([f"lsrs {word}, {word}, #1"] if unit == 2 else [])
