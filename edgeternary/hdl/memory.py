"""Where each memory of a design goes: block RAM, single-port RAM, or logic."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from edgeternary.hdl.devices import Family
from edgeternary.hdl.memory_costs import (
    WORTH,
    WORTH_SLOW,
    block_luts,
    block_shape,
    blocks,
    logic_luts,
    single_port_rams,
)
from edgeternary.hdl.top import Design
from edgeternary_hw import MatrixVector
from edgeternary_hw.single_port import SINGLE
from edgeternary_hw.stage import Memories, MemorySize, Storage
from edgeternary_hw.trits import bytes_of

Parts = Sequence[tuple[str, Any]]  # by instance name, in stream order


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
        name: block_shape(part.memories[name], family)[2]
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
