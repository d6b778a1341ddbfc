"""Thresholds in every lane at once, in 16-bit instructions; constants come from a literal pool nearby.

r3          a sum, or half of one       r4, r5, r2      comparisons, in the highest bits of their lanes
r6          the highest bit of each lane                r7      a sum with its highest bits set
"""

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes.after.compared import Compared

REGISTERS = ("r4", "r5", "r2")  # enough for three comparisons at a time
Comparison = tuple[int, str, list[str]]  # level, register, lines


def tops(bits: int, ones: int) -> str:
    """The literal that r6 holds."""
    return f"=0x{ones << (bits - 1):08x}"


def comparisons(
    after: Compared, channel: int, bits: int, ones: int, registers: Sequence[str]
) -> Iterator[Comparison]:
    """Those of one channel with the sum in r3, in the order in which they have to be made."""
    if after.hard[channel]:
        yield from _all_bits(after, channel, bits, ones, registers)
        return
    odd = after.odds(channel)
    for level, register in zip(range(after.levels - 1, 0, -1), registers, strict=False):
        lines = [_load(register, after.above(level, channel) * ones), f"subs {register}, r3, {register}"]
        yield level, register, [*lines, *([f"adds {register}, {register}, r2"] if odd[level] else [])]
    yield 0, "r3", []


def _all_bits(
    after: Compared, channel: int, bits: int, ones: int, registers: Sequence[str]
) -> Iterator[Comparison]:
    """a >= t: the highest bits decide, or where they agree the others, compared below a highest bit of 1."""
    edge, odd = 2 ** (bits - 1), after.odds(channel)
    order = sorted(range(after.levels), key=lambda level: odd[level])
    before: bool | None = None
    for level, register in zip(order, registers, strict=False):
        lines = ["adds r3, r3, r2"] if odd[level] and not before else []
        lines += ["movs r7, r3", "orrs r7, r6"] if odd[level] != before else []
        before = odd[level]
        limit = int(after.limits[level, channel])
        lines += [_load(register, limit % edge * ones), f"subs {register}, r7, {register}"]
        yield level, register, [*lines, f"{'ands' if limit >= edge else 'orrs'} {register}, r3"]


def count(after: Compared, channel: int, bits: int, ones: int) -> Iterator[str]:
    """r1: the number of thresholds that the sum in r3 reaches."""
    found = comparisons(after, channel, bits, ones, ("r4",) * after.levels)
    for number, (_, register, lines) in enumerate(found):
        yield from [*lines, f"ands {register}, r6"]
        if number == 0:
            yield f"lsrs r1, {register}, #{bits - 1}"
        else:
            yield from [f"lsrs {register}, {register}, #{bits - 1}", f"adds r1, r1, {register}"]


def _load(register: str, word: int) -> str:
    return f"ldr {register}, =0x{word % 2**32:08x}"
