"""Rows of natural bytes to lanes in 16-bit instructions: four elements of each lane are loaded as a word.

r0, r1      lane 0, which says when the row ends, and the words     r2-r5   elements
r6, r7      masks                                                   r8-r10  from lane 0 to the others
r11         a constant to add or to invert                          r12     the end of lane 0
"""

from __future__ import annotations

from edgeternary.c.layouts import Lanes, lane_unit, tall
from edgeternary.ir import Type, Value

AT_ONCE = 4
DISTANCES = ("r8", "r9", "r10")
BYTES = 0x01010101


def fits(value: Value, layout: Lanes) -> bool:
    """Whether rows are whole words, of types that need no carries between bytes."""
    _, width, channels = tall(value.shape)
    kind = value.type
    if kind.dtype.itemsize != 1 or width * channels % AT_ONCE:
        return False
    return kind.lo in (0, -128) if layout.lanes == 2 else (kind.hi - kind.lo) // lane_unit(kind) <= 3


def row(value: Value, layout: Lanes) -> list[str]:
    """A routine (x of lane 0, words, end of x), all multiples of 4; instructions, one a line."""
    _, width, channels = tall(value.shape)
    apart = [(start - layout.starts[0]) * width * channels for start in layout.starts[1:]]
    lines = ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
    for register, distance in zip(DISTANCES, apart, strict=False):
        lines += [f"ldr r3, =0x{distance:x}", f"mov {register}, r3"]
    lines += ["mov r12, r2", *(_two(value.type) if layout.lanes == 2 else _four(value.type))]
    lines += ["cmp r0, r12", "bne 1b", "pop {r4-r7}", *(f"mov r{i + 4}, r{i}" for i in range(4, 8))]
    return [*lines, "pop {r4-r7, pc}", ".ltorg"]


def _two(type: Type) -> list[str]:
    """Even and odd bytes of both lanes apart, then the halves of each pair change places."""
    raised = ["mov r6, r11", "eors r2, r6", "eors r4, r6"] if type.lo else []
    lines = [f"ldr r3, =0x{0x80 * BYTES:08x}", "mov r11, r3"] if type.lo else []
    lines += ["ldr r7, =0x00ff00ff", "1:", "mov r4, r8", "ldr r4, [r0, r4]", "ldmia r0!, {r2}", *raised]
    lines += ["lsrs r3, r2, #8", "lsrs r5, r4, #8", *(f"ands r{i}, r7" for i in range(2, 6))]
    for low, high in (("r2", "r4"), ("r3", "r5")):
        lines += [f"lsrs r6, {low}, #16", f"eors r6, {high}", "uxth r6, r6", f"eors {high}, r6"]
        lines += ["lsls r6, r6, #16", f"eors {low}, r6"]
    return [*lines, "stmia r1!, {r2-r5}"]


def _four(type: Type) -> list[str]:
    """Two bits an element: lanes 0 and 2 share bytes in r2, lanes 1 and 3 in r5.

    Then odd bytes of r2 and even ones of r5 change places: r2 has elements 0 and 2 of all lanes, r5 1 and 3.
    A half word has an element in bits 0, 8, 4, 12 for lanes 0, 1, 2, 3; the upper two move up by 12.
    """
    signed, unit = type.lo < 0, lane_unit(type)
    lines = [f"ldr r6, =0x{3 * BYTES:08x}", "ldr r7, =0x00ff00ff"]
    lines += [f"ldr r3, =0x{-type.lo % 4 * 0x11111111:08x}", "mov r11, r3"] if signed else []
    lines.append("1:")
    for register, distance in zip(("r5", "r3", "r4"), DISTANCES, strict=True):
        lines += [f"mov {register}, {distance}", f"ldr {register}, [r0, {register}]"]
    lines.append("ldmia r0!, {r2}")
    lines += [f"ands r{i}, r6" for i in range(2, 6)] if signed else []
    lines += ["lsls r3, r3, #4", "orrs r2, r3", "lsls r4, r4, #4", "orrs r5, r4"]
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
    return [*lines, "stmia r1!, {r2, r5}"]


def _spread(word: str, spare: str, unit: int) -> list[str]:
    lines = [f"lsls {spare}, {word}, #12", f"orrs {word}, {spare}", f"ands {word}, r6"]
    return lines + ([f"lsrs {word}, {word}, #1"] if unit == 2 else [])
