"""Where each memory of a design goes: block RAM, single-port RAM, or logic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from edgeternary.hdl.devices import Family
from edgeternary_hw import MatrixVector, Replay, Window
from edgeternary_hw.single_port import DEPTH, SINGLE, columns
from edgeternary_hw.stage import Memories, MemorySize
from edgeternary_hw.trits import bytes_of

EARLY = (MatrixVector, Replay, Window)  # these keep what a memory answers before they use it
WORTH = 40  # LUTs that a block RAM must save: below that they cost less than the way to the block
WORTH_SLOW = 150  # the same where blocks are slow: paths out of them are the longest


def blocks(size: MemorySize, family: Family) -> int:
    """Block RAMs of a memory: the fewest over the family's shapes; every read port has its own copy."""
    counts = [-(-size.depth // depth) * -(-size.width // width) for depth, width in family.shapes]
    return size.reads * min(counts)


def single_port_rams(size: MemorySize) -> int:
    """Single-port RAMs of a memory."""
    return columns(size.width) * -(-size.depth // DEPTH)


def block_luts(size: MemorySize, family: Family) -> int:
    """LUTs beside the blocks: the choice among those that lie one behind another."""
    shapes = [(-(-size.depth // d) * -(-size.width // w), -(-size.depth // d)) for d, w in family.shapes]
    deep = min(shapes)[1]
    return size.reads * (round(size.width * (deep - 1) * 0.7) + 2 * (deep > 1))


def rom_luts(words: list[int], width: int) -> int:
    """LUTs of a ROM in logic: one for 16 words of a bit, and the choice between two of those (0.9).

    Equal pieces are built once; pieces that are constant or follow an address bit cost nothing.
    """
    free = {tuple((k >> j & 1) ^ flip for k in range(16)) for j in range(4) for flip in (0, 1)}
    free |= {(0,) * 16, (1,) * 16}
    leaves: set[Any] = set()
    nodes: set[Any] = set()
    for j in range(width):
        column = [word >> j & 1 for word in words]
        column += [0] * (-len(column) % 16)
        level: list[Any] = [tuple(column[k : k + 16]) for k in range(0, len(column), 16)]
        leaves.update(piece for piece in level if piece not in free)
        while len(level) > 1:
            pairs = [
                (level[k], level[k + 1] if k + 1 < len(level) else level[k]) for k in range(0, len(level), 2)
            ]
            level = [a if a == b else (a, b) for a, b in pairs]
            nodes.update(pair for pair in level if len(pair) == 2)
    return len(leaves) + round(0.9 * len(nodes))


def logic_luts(size: MemorySize, family: Family, words: list[int] | None = None) -> int:
    """LUTs of a memory in logic.

    A ROM: see `rom_luts`; without its words as if no two pieces were equal. A RAM: 16 words of 4 bits in
    `family.small_ram` LUTs where the fabric has such cells, else a flip-flop for each bit.
    """
    if words is not None:
        return rom_luts(words, size.width)
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
        for inner in ("window", "reduce", "ring", "bits"):
            if isinstance(found := getattr(part, inner, None), Memories):
                yield name, found


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A memory that may take `count` block RAMs, which saves `saved` LUTs."""

    part: Memories
    name: str
    size: MemorySize
    count: int
    saved: int


def allocate(
    parts: list[tuple[str, Any]], family: Family, available: int | None, single_port: int = 0
) -> int:
    """Sets the styles of all memories; returns the block RAMs used.

    Blocks go where they save the most LUTs each, or the most LUTs in all, whichever saves more together,
    until `available` are used (None: no limit); never where they would save too few each. While they do not
    suffice, ternary weights are packed five in a byte where that costs fewer LUTs than it saves, and then the
    largest weights go into `single_port` RAMs, which a loader fills.
    """
    matrices = [part for _, part in holders(parts) if isinstance(part, MatrixVector)]
    for part in matrices:
        part.packed = False
    costs: Costs = {}
    plan = _placed(parts, family, available, single_port, costs)
    if available is not None and not family.slow_ram and plan.short:
        for part in sorted(filter(_shrinks(family), matrices), key=decoder_luts):
            part.packed = True
            tried = _placed(parts, family, available, single_port, costs)
            tried = replace(tried, luts=tried.luts + sum(decoder_luts(p) for p in matrices if p.packed))
            if tried.luts < plan.luts and tried.blocks[part, "weights"]:
                plan = tried
            else:
                part.packed = False
    plan = _placed(parts, family, available, single_port, costs)
    for part, _ in plan.styles:
        part.styles, part.late, part.inside = {}, family.slow_ram, family.output_registers
    for (part, name), style in plan.styles.items():
        part.styles = {**part.styles, name: style}
    return sum(plan.blocks.values())


Costs = dict[tuple[Memories, str, MemorySize], int]
DECODER = 15  # LUTs that take five ternary weights out of a byte, counted


def decoder_luts(part: MatrixVector) -> int:
    """LUTs that take packed weights apart."""
    return DECODER * bytes_of(part.pe * part.simd)


def _shrinks(family: Family) -> Callable[[MatrixVector], bool]:
    """Whether packed weights take fewer blocks."""

    def less(part: MatrixVector) -> bool:
        if not part.packable or "weights" not in part.memories:
            return False
        size = part.memories["weights"]
        packed = MemorySize(size.depth, 8 * bytes_of(part.pe * part.simd))
        return blocks(packed, family) < blocks(size, family)

    return less


@dataclass(frozen=True)
class _Plan:
    """Where the memories go: styles and blocks by (part, name); LUTs of those in logic; whether blocks were
    short."""

    styles: dict[tuple[Memories, str], str]
    blocks: dict[tuple[Memories, str], int]
    luts: int
    short: bool


def _placed(
    parts: list[tuple[str, Any]], family: Family, available: int | None, single_port: int, costs: Costs
) -> _Plan:
    """`costs`: LUTs of memories in logic, worked out once."""
    wanted = []
    for _, part in holders(parts):
        for name, size in part.memories.items():
            if (part, name, size) not in costs:
                costs[part, name, size] = logic_luts(size, family, part.contents(name))
            saved = costs[part, name, size] - block_luts(size, family)
            if family.slow_ram and not isinstance(part, EARLY):
                saved = 0  # their logic follows in the same cycle
            wanted.append(_Wanted(part, name, size, blocks(size, family), saved))
    least = WORTH_SLOW if family.slow_ram else WORTH
    worth = [w for w in wanted if w.saved >= least * w.count]
    single = _single_port(worth, available or 0, single_port)
    worth = [w for w in worth if w not in single]
    orders: tuple[Callable[[_Wanted], float], ...] = (lambda w: w.saved / w.count, lambda w: w.saved)
    tries = [_taken(sorted(worth, key=order, reverse=True), available) for order in orders]
    best = max(tries, key=lambda taken: sum(w.saved for w in taken))
    styles = {}
    for w in wanted:
        other = "distributed" if w.size.writable and family.small_ram else "logic"
        styles[w.part, w.name] = SINGLE if w in single else "block" if w in best else other
    left = [w for w in wanted if w not in best and w not in single]
    return _Plan(
        styles,
        {(w.part, w.name): w.count if w in best else 0 for w in wanted},
        sum(w.saved for w in left),
        len(best) < len(worth),
    )


def _single_port(worth: list[_Wanted], available: int, rams: int) -> list[_Wanted]:
    """Of those that want blocks the largest, until the blocks suffice for the others."""
    found: list[_Wanted] = []
    wanted = sum(w.count for w in worth)
    for w in sorted(worth, key=lambda w: w.size.depth * w.size.width, reverse=True):
        if rams and wanted > available and w.name in w.part.FILLED and single_port_rams(w.size) <= rams:
            found.append(w)
            wanted -= w.count
            rams -= single_port_rams(w.size)
    return found


def _taken(wanted: list[_Wanted], available: int | None) -> list[_Wanted]:
    """The first ones that fit."""
    found: list[_Wanted] = []
    for w in wanted:
        if available is None or sum(f.count for f in found) + w.count <= available:
            found.append(w)
    return found
