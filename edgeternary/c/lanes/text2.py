"""Pieces of Thumb-2 for lanes, and where things are.

r0           words of the input
r1-r3        loaded words, then temporaries, with those of r12 and lr that are no accumulators
r4-r12, lr   accumulators
[sp]         y, constants, rows left, y at the end of a row; sums of the first part where these are halved
"""

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes.walk import Walk

ADD_LIMIT, LOAD_LIMIT = 4095, 4092
Y, K, ROWS, END, FIRST = 0, 4, 8, 12, 16
PUSHED = 4 * 9  # bytes of saved registers, after which the fifth argument follows


def constant(register: str, value: int) -> list[str]:
    """Load any 32-bit constant."""
    lines = [f"movw {register}, #{value & 0xFFFF}"]
    return lines + ([f"movt {register}, #{value >> 16 & 0xFFFF}"] if value & 0xFFFF0000 else [])


def add(register: str, count: int, spare: str) -> list[str]:
    """register += count."""
    if count == 0:
        return []
    name = "add" if count > 0 else "sub"
    if abs(count) <= ADD_LIMIT:
        return [f"{name}{'w' if abs(count) > 255 else 's'} {register}, {register}, #{abs(count)}"]
    return [*constant(spare, abs(count)), f"{name} {register}, {register}, {spare}"]


def sum_to(register: str, base: str, count: int, spare: str) -> list[str]:
    """register = base + count."""
    if 0 <= count <= ADD_LIMIT:
        return [f"addw {register}, {base}, #{count}"]
    return [*constant(spare, count), f"add {register}, {base}, {spare}"]


def store(accs: Sequence[str], pointer: str) -> list[str]:
    """All accumulators, as words."""
    return [f"stmia {pointer}, {{{', '.join(accs)}}}" if len(accs) > 1 else f"str {accs[0]}, [{pointer}]"]


def raised(register: str, low: int) -> list[str]:
    """The code of a lane's number."""
    return [f"sub {register}, {register}, #{-low}"] if low else []


def codes(walk: Walk, accs: Sequence[str], lower: bool = True) -> Iterator[str]:
    """Store counts: words as they are, or the code of each lane, two lanes at a time."""
    yield f"ldr r1, [sp, #{Y}]"
    if not walk.lanes:
        yield from store(accs, "r1")
        return
    for first in range(0, len(walk.lanes), 2):
        low, high = walk.lanes[first : first + 2]
        yield from sum_to("r2", "r1", high, "r3")
        if first:
            yield from sum_to("r1", "r1", low, "r3")
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
