"""Where each memory of a design goes: block RAM, or logic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeternary.hdl.devices import Family
from edgeternary_hw import MatrixVector, Replay, Window
from edgeternary_hw.stage import Memories, MemorySize

EARLY = (MatrixVector, Replay, Window)  # these keep what a memory answers before they use it
WORTH = 40  # LUTs that a block RAM must save: below that they cost less than the way to the block


def blocks(size: MemorySize, family: Family) -> int:
    """Block RAMs of a memory: the fewest over the family's shapes; every read port has its own copy."""
    counts = [-(-size.depth // depth) * -(-size.width // width) for depth, width in family.shapes]
    return size.reads * min(counts)


def block_luts(size: MemorySize, family: Family) -> int:
    """LUTs beside the blocks: the choice among those that lie one behind another."""
    shapes = [(-(-size.depth // d) * -(-size.width // w), -(-size.depth // d)) for d, w in family.shapes]
    deep = min(shapes)[1]
    return size.reads * (round(size.width * (deep - 1) * 0.7) + 2 * (deep > 1))


def logic_luts(size: MemorySize, family: Family) -> int:
    """LUTs of a memory in logic.

    A ROM: one LUT for 16 words of a bit, and the choice among those (a LUT4 for 1.5 ways). A RAM: 16 words of
    4 bits in `family.small_ram` LUTs where the fabric has such cells, else a flip-flop for each bit.
    """
    leaves = -(-size.depth // 16)
    tree = round(size.width * (leaves - 1) * 0.7)
    if not size.writable:
        return size.width * leaves + tree
    if family.small_ram:
        return size.reads * (family.small_ram * leaves * -(-size.width // 4) + tree)
    return size.depth * size.width + size.reads * round(size.width * (size.depth - 1) * 0.7)


def holders(parts: list[tuple[str, Any]]) -> Iterator[tuple[str, Memories]]:
    """All parts with memories, those inside of others too, by instance name."""
    for name, part in parts:
        if isinstance(part, Memories):
            yield name, part
        for inner in ("window", "reduce"):
            if isinstance(found := getattr(part, inner, None), Memories):
                yield name, found


def allocate(parts: list[tuple[str, Any]], family: Family, available: int | None) -> int:
    """Sets the styles of all memories; returns the block RAMs used.

    Blocks go where they save the most LUTs each, until `available` are used (None: no limit) or the next
    would save fewer than WORTH.
    """
    wanted = []
    for order, (_, part) in enumerate(holders(parts)):
        part.styles, part.late = {}, family.slow_ram
        for name, size in part.memories.items():
            count = blocks(size, family)
            saved = logic_luts(size, family) - block_luts(size, family)
            if family.slow_ram and not isinstance(part, EARLY):
                saved = 0  # their logic follows in the same cycle
            wanted.append((saved / count, -order, name, count, part, size))
    used = 0
    for rate, _, name, count, part, size in sorted(wanted, key=lambda w: w[:3], reverse=True):
        fits = available is None or used + count <= available
        block = fits and rate >= WORTH
        used += count * block
        other = "distributed" if size.writable and family.small_ram else "logic"
        part.styles = {**part.styles, name: "block" if block else other}
    return used
