"""Pieces of Thumb-1 for lanes, and where things are.

r0          words of the input               r1, r2    loaded words, then temporaries
r3-r7       accumulators 0-4                 r8-r12, lr  accumulators 5-7, each as a pair: what is added,
                                             and what is subtracted, since high registers can only be added to
[sp]        y, constants, rows left, y at the end of a row, then the sums when all are there, and
            those of the first part where a sum is halved
"""

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes.program import Load
from edgeternary.c.lanes.walk import Walk

LOW = ("r3", "r4", "r5", "r6", "r7")
PAIRS = (("r8", "r9"), ("r10", "r11"), ("r12", "lr"))
HIGH = ("r8", "r9", "r10")  # where the codes of the other lanes go, once the sums are in the frame
Y, K, ROWS, END, SUMS = 0, 4, 8, 12, 16
FIRST = SUMS + 4 * 8
PART = 4 * 8  # what sums of another part add to the frame
APART = SUMS  # to y of the high lane, where no sums are kept
PUSHED = 4 * 9  # bytes, after which the fifth argument follows
LOAD_LIMIT = 124


def constant(register: str, value: int) -> list[str]:
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


def replicated(register: str, value: int, walk: Walk, spare: str) -> list[str]:
    """`value`, of at most 8 bits, in every lane."""
    lines, bits = constant(register, value), 16
    while bits >= walk.bits:
        lines += [f"lsls {spare}, {register}, #{bits}", f"orrs {register}, {spare}"]
        bits //= 2
    return lines


def add(register: str, count: int, spare: str) -> list[str]:
    """register += count."""
    name = "adds" if count > 0 else "subs"
    count = abs(count)
    if count <= 510:
        pieces = [min(count, 255), max(count - 255, 0)]
        return [f"{name} {register}, #{piece}" for piece in pieces if piece]
    return [*constant(spare, count), f"{name} {register}, {register}, {spare}"]


def low_sums(size: int, place: int) -> list[str]:
    """The sums of low registers into the frame, so that these are free."""
    return [f"add r1, sp, #{place}", f"stmia r1!, {{{', '.join(LOW[:size])}}}"]


def high_sums(size: int, part: Sequence[Load]) -> Iterator[str]:
    """The other sums, after those of `low_sums`."""
    for index in range(len(LOW), size):
        yield from [*difference(index, part), "stmia r1!, {r2}"]


def difference(index: int, part: Sequence[Load], register: str = "r2", spare: str = "r3") -> list[str]:
    """The sum of a pair; where nothing is subtracted, its second register was never written."""
    plus, minus = PAIRS[index - len(LOW)]
    subtracted = subtracts(index, part)
    lines = [f"mov {spare}, {minus}", f"subs {register}, {register}, {spare}"] if subtracted else []
    return [f"mov {register}, {plus}", *lines]


def subtracts(index: int, part: Sequence[Load]) -> bool:
    """Whether a part subtracts words from accumulator `index`."""
    return any(i == index and digit < 0 for load in part for terms in load.terms for i, digit in terms)


def prepare(walk: Walk) -> Iterator[str]:
    """r4: 1 in every lane; r5: y; r6: the constants; r8-r10: y of the other lanes."""
    yield from replicated("r4", 1, walk, "r2")
    yield from [f"ldr r6, [sp, #{K}]", *places(walk, "r5")]


def places(walk: Walk, y: str, literals: bool = False) -> Iterator[str]:
    """y, and r8-r10 for the other lanes; `literals` may be loaded."""
    yield f"ldr {y}, [sp, #{Y}]"
    for register, apart in zip(HIGH, walk.lanes[1:], strict=False):
        yield from [f"ldr r2, =0x{apart:x}"] if literals else constant("r2", apart)
        yield from [f"adds r2, r2, {y}", f"mov {register}, r2"]


def store(i: int, walk: Walk, y: str = "r5") -> Iterator[str]:
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


def constant_of(index: int, register: str) -> list[str]:
    """Word `index` of the constants."""
    if 4 * index <= LOAD_LIMIT:
        return [f"ldr {register}, [r6, #{4 * index}]"]
    return [*constant(register, 4 * index), f"ldr {register}, [r6, {register}]"]
