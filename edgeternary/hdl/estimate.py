"""What a design needs, before any tool runs: LUTs, flip-flops and block RAMs of each part.

The formulas of hdl.parts count what a part is made of, on a fabric of LUT4 with carry chains; nothing is
fitted but the constants for counters and addresses, which were read off the netlist of mnist-cnn-2bit for a
UP5K. LUTs are LUT4 cells before packing; a carry cell of ECP5 counts as two.
"""

from edgeternary.hdl import memory, memory_costs
from edgeternary.hdl.devices import Family, family
from edgeternary.hdl.engine import SHARES
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.folding import fold
from edgeternary.hdl.parts import part_of
from edgeternary.hdl.passes.by_position import PLACE
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from edgeternary_hw.single_port import SINGLE, columns
from edgeternary_hw.stage import MemorySize

LOADER = {"luts": 120, "ffs": 100, "ram_blocks": 0, "logic_cells": 0}  # counted: a CRC of 32 bits, an address

WORDS = ("luts", "ffs", "logic_cells", "ram_blocks", "single_port_rams")


def by_part(design: Design, device: str, available: int | None = None) -> dict[str, dict[str, int]]:
    """WORDS (single_port_rams where there are some) of each part by instance name, its memories placed as
    hdl.memory does. A logic cell holds a LUT, a carry and a flip-flop, as far as these belong together; what
    has one to itself for certain (Area.shifted, Area.carries) is counted, of other flip-flops a share."""
    fabric = family(device)
    placing = memory.allocate(design.top.parts, fabric, available, design.single_port_rams)
    parts = placing.of(design.top.parts)
    found = _plain(parts, fabric)
    for path, part in memory.holders(parts):
        name = path.partition(".")[0]
        for held, size in part.memories.items():
            if part.style(held) == SINGLE:
                _add_single_port(found, name, size)
                continue
            _add_memory(found[name], size, part.style(held), fabric, placing.logic[path, held])
    for row in found.values():
        row["logic_cells"] += round(row["luts"] + fabric.alone * row["ffs"])
    assert placing.used == sum(row["ram_blocks"] for row in found.values())
    return found


def _plain(parts: memory.Parts, fabric: Family) -> dict[str, dict[str, int]]:
    """By instance name, what a part takes beside its memories; logic_cells: those that surely have no LUT."""
    found = {}
    for name, part in parts:
        area = part_of(part).area(part)
        luts = area.luts if area.alone is None or not fabric.lone_carry else area.alone
        lone = (1 - fabric.alone) * area.shifted + area.carries if fabric.alone else 0
        found[name] = {
            "luts": round(luts),
            "ffs": round(area.ffs),
            "ram_blocks": 0,
            "logic_cells": round(lone),
        }
    return found


def least(design: Design, device: str) -> int:
    """LUTs that the design needs wherever its memories go: a bound that costs far less than placing them."""
    return sum(row["luts"] for row in _plain(design.top.parts, family(device)).values())


def _add_memory(row: dict[str, int], size: MemorySize, style: str, fabric: Family, logic: int) -> None:
    if style == "block":
        row["ram_blocks"] += memory_costs.blocks(size, fabric)
        row["luts"] += memory_costs.block_luts(size, fabric)
        return
    row["luts"] += logic
    row["ffs"] += size.width * (size.depth if size.writable and not fabric.small_ram else 1)


def _add_single_port(rows: dict[str, dict[str, int]], name: str, size: MemorySize) -> None:
    """Of a memory that a loader fills: the choice of the address; and once the loader itself."""
    rows.setdefault("loader", dict(LOADER))
    rows[name]["luts"] += (size.depth - 1).bit_length() + columns(size.width)
    rows[name]["single_port_rams"] = memory_costs.single_port_rams(size)


def total(design: Design, device: str, available: int | None = None) -> dict[str, int]:
    """WORDS of the whole design, and its cycles a frame (exact)."""
    rows = by_part(design, device, available).values()
    sums = {word: sum(row.get(word, 0) for row in rows) for word in WORDS}
    return {**sums, "cycles": design.cycles}


def luts(graph: Graph, folding: Folding | None = None, device: str = "ice40") -> dict[str, int]:
    """Estimated LUTs of each layer by name, with `folding` or the default one."""
    design = build(graph, folding or fold(graph))
    found = dict.fromkeys((op.name for op in graph.ops), 0)
    for name, row in by_part(design, device).items():
        layer = design.layers.get(name, name).split(SHARES)[0].removesuffix(PLACE)
        found[layer] = found.get(layer, 0) + row["luts"]
    return {name: found[name] for name in (op.name for op in graph.ops)}
