"""Where each memory of a design goes: block RAM, single-port RAM, or logic."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import numpy as np

from edgeternary.hdl.devices import Family
from edgeternary.hdl.top import Design
from edgeternary_hw import MatrixVector
from edgeternary_hw.single_port import DEPTH, SINGLE, columns
from edgeternary_hw.stage import Memories, MemorySize, Storage
from edgeternary_hw.trits import bytes_of

Parts = Sequence[tuple[str, Any]]  # by instance name, in stream order
WORTH = 40  # LUTs that a block RAM must save: below that they cost less than the way to the block
WORTH_SLOW = 150  # the same where blocks are slow: paths out of them are the longest
# pieces of 16 words that are constant or follow an address bit, upright or inverted
FREE = {flip ^ piece for piece in (0, 0xAAAA, 0xCCCC, 0xF0F0, 0xFF00) for flip in (0, 0xFFFF)}


def _block(size: MemorySize, family: Family) -> tuple[int, int, int]:
    """(blocks, blocks in a column, bits of each) of a memory: the fewest over the family's shapes. Logic
    chooses among the blocks of a column; where registers lie in the blocks, a column is one block."""
    shapes = [(-(-size.depth // d), -(-size.width // w), w) for d, w in family.shapes]
    flat = [shape for shape in shapes if shape[0] == 1] if family.output_registers else []
    return min((deep * wide, deep, width) for deep, wide, width in flat or shapes)


def blocks(size: MemorySize, family: Family) -> int:
    """Block RAMs of a memory; every read port has its own copy."""
    return size.reads * _block(size, family)[0]


def single_port_rams(size: MemorySize) -> int:
    """Single-port RAMs of a memory."""
    return columns(size.width) * -(-size.depth // DEPTH)


def block_luts(size: MemorySize, family: Family) -> int:
    """LUTs beside the blocks: the choice among the blocks of a column."""
    _, deep, _ = _block(size, family)
    return size.reads * (round(size.width * (deep - 1) * 0.7) + 2 * (deep > 1))


def rom_luts(words: list[int], width: int) -> int:
    """LUTs of a ROM in logic: one for 16 words of a bit, and the choice between two of those (0.9).

    Equal pieces are built once; pieces that are constant or follow an address bit cost nothing.
    """
    size = -(-width // 8)
    data = b"".join(word.to_bytes(size, "little") for word in words)
    bits = np.zeros((-(-len(words) // 16) * 16, width), np.uint8)
    packed = np.frombuffer(data, np.uint8).reshape(len(words), size)
    bits[: len(words)] = np.unpackbits(packed, axis=1, count=width, bitorder="little")
    level = np.packbits(bits.reshape(-1, 16, width), axis=1, bitorder="little").astype(np.int64)
    level = (level[:, 0] | level[:, 1] << 8).T  # of each bit, its pieces of 16 words, by number
    leaves = len(set(np.unique(level).tolist()) - FREE)
    nodes: dict[int, int] = {}  # pairs of different ones, numbered from the pieces on
    while level.shape[1] > 1:
        a, b = level[:, ::2], level[:, 1::2]
        b = np.concatenate([b, a[:, b.shape[1] :]], axis=1)  # without a neighbour: with itself
        pairs, inverse = np.unique(np.where(a == b, -1, a << 32 | b), return_inverse=True)
        numbers = [nodes.setdefault(p, (1 << 16) + len(nodes)) if p >= 0 else 0 for p in pairs.tolist()]
        level = np.where(a == b, a, np.asarray(numbers)[inverse].reshape(a.shape))
    return leaves + round(0.9 * len(nodes))


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


def holders(parts: Parts) -> Iterator[tuple[str, Memories]]:
    """(path, part) of all parts with memories. The path is the instance name; of a part inside of another,
    that one's path, a dot and the attribute's name."""
    for path, part in parts:
        if isinstance(part, Memories):
            yield path, part
            yield from holders([(f"{path}.{name}", getattr(part, name)) for name in part.INNER])


@dataclass(frozen=True)
class Placement:
    """Where the memories of a design go: by path of the part, see `holders`, or by (path, memory name).

    storages  of the parts with memories
    blocks    block RAMs of each memory
    logic     LUTs of each, if it lay in logic
    luts      of those that do, beyond what they would take in blocks
    short     whether there were too few blocks
    """

    storages: Mapping[str, Storage]
    blocks: Mapping[tuple[str, str], int]
    logic: Mapping[tuple[str, str], int]
    luts: int
    short: bool

    @property
    def used(self) -> int:
        """Block RAMs."""
        return sum(self.blocks.values())

    def of(self, parts: Parts) -> list[tuple[str, Any]]:
        """The parts with their memories where this placement puts them; `parts` stay as they are."""
        return stored(parts, self.storages)


def stored(parts: Parts, storages: Mapping[str, Storage]) -> list[tuple[str, Any]]:
    """The parts by instance name, in place of those with memories copies that lie as `storages` says."""
    return [(at, part.stored(storages, at) if isinstance(part, Memories) else part) for at, part in parts]


def placed(design: Design, family: Family, available: int | None = None, single_port: int = 0) -> Design:
    """The design with its memories where `allocate` puts them."""
    return design.with_parts(allocate(design.top.parts, family, available, single_port).of(design.top.parts))


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A memory that may take `count` block RAMs, which saves `saved` LUTs."""

    part: Memories
    key: tuple[str, str]
    size: MemorySize
    count: int
    saved: int


@dataclass(frozen=True)
class _Fabric:
    """What memories can go into: `available` block RAMs (None: no limit), `single_port` single-port RAMs.

    costs  LUTs of memories in logic, computed once
    """

    family: Family
    available: int | None
    single_port: int
    costs: dict[tuple[str, str, MemorySize], int] = field(default_factory=dict)


def allocate(parts: Parts, family: Family, available: int | None, single_port: int = 0) -> Placement:
    """Where all memories go. The parts stay as they are.

    Blocks go where they save the most LUTs each, or the most LUTs in all, whichever saves more together,
    until `available` are used (None: no limit); never where they would save too few each. While they do not
    suffice, ternary weights are packed five in a byte where that costs fewer LUTs than it saves, and then the
    largest weights go into `single_port` RAMs, which a loader fills.
    """
    fabric = _Fabric(family, available, single_port)
    held = dict(holders(parts))
    plan = _placed(held, fabric)
    if available is not None and not family.slow_ram and plan.short:
        packable = {path: part for path, part in held.items() if _shrinks(part, family)}
        packed = 0
        for path, part in sorted(packable.items(), key=lambda item: decoder_luts(item[1])):
            other = {**held, path: part.stored({path: Storage(packed=True)}, path)}
            tried = _placed(other, fabric)
            decoders = packed + decoder_luts(part)
            tried = replace(tried, luts=tried.luts + decoders)
            if tried.luts < plan.luts and tried.blocks[path, "weights"]:
                plan, held, packed = tried, other, decoders
    return _placed(held, fabric)


DECODER = 15  # LUTs that take five ternary weights out of a byte, counted


def decoder_luts(part: MatrixVector) -> int:
    """LUTs that take packed weights apart."""
    return DECODER * bytes_of(part.pe * part.simd)


def _shrinks(part: Memories, family: Family) -> TypeGuard[MatrixVector]:
    """Whether packed weights take fewer blocks."""
    if not isinstance(part, MatrixVector) or not part.packable or "weights" not in part.memories:
        return False
    size = part.memories["weights"]
    packed = MemorySize(size.depth, 8 * bytes_of(part.pe * part.simd))
    return blocks(packed, family) < blocks(size, family)


def _placed(held: Mapping[str, Memories], fabric: _Fabric) -> Placement:
    family, costs, wanted = fabric.family, fabric.costs, []
    for path, part in held.items():
        for name, size in part.memories.items():
            if (path, name, size) not in costs:
                costs[path, name, size] = logic_luts(size, family, part.contents(name))
            saved = costs[path, name, size] - block_luts(size, family)
            kept = name in part.KEPT or (family.output_registers and part.keeps(name))
            if family.slow_ram and not kept:
                saved = 0  # its logic follows in the same cycle
            wanted.append(_Wanted(part, (path, name), size, blocks(size, family), saved))
    least = WORTH_SLOW if family.slow_ram else WORTH
    worth = [w for w in wanted if w.saved >= least * w.count]
    single = _single_port(worth, fabric.available or 0, fabric.single_port)
    worth = [w for w in worth if w not in single]
    orders: tuple[Callable[[_Wanted], float], ...] = (lambda w: w.saved / w.count, lambda w: w.saved)
    tries = [_taken(sorted(worth, key=order, reverse=True), fabric.available) for order in orders]
    best = max(tries, key=lambda taken: sum(w.saved for w in taken))
    styles = {}
    for w in wanted:
        other = "distributed" if w.size.writable and family.small_ram else "logic"
        styles[w.key] = SINGLE if w in single else "block" if w in best else other
    left = [w for w in wanted if w not in best and w not in single]
    return Placement(
        {path: _storage(path, part, styles, family) for path, part in held.items() if part.memories},
        {w.key: w.count if w in best else 0 for w in wanted},
        {w.key: costs[*w.key, w.size] for w in wanted},
        sum(w.saved for w in left),
        len(best) < len(worth),
    )


def _storage(path: str, part: Memories, styles: Mapping[tuple[str, str], str], family: Family) -> Storage:
    own = {name: styles[path, name] for name in part.memories}
    slices = {
        name: _block(part.memories[name], family)[2]
        for name, style in own.items()
        if family.output_registers and style == "block"
    }
    return Storage(own, slices, family.slow_ram, family.output_registers, part.storage.packed)


def _single_port(worth: list[_Wanted], available: int, rams: int) -> list[_Wanted]:
    """Of those that want blocks the largest, until the blocks suffice for the others."""
    found: list[_Wanted] = []
    wanted = sum(w.count for w in worth)
    for w in sorted(worth, key=lambda w: w.size.depth * w.size.width, reverse=True):
        if rams and wanted > available and w.key[1] in w.part.FILLED and single_port_rams(w.size) <= rams:
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
