"""What a design needs, before any tool runs: LUTs, flip-flops and block RAMs of each part.

The formulas count what a part is made of (its docstring and comments say how), on a fabric of LUT4 with carry
chains; nothing is fitted but the constants for counters and addresses, which were read off the netlist of
mnist-cnn-2bit for a UP5K. LUTs are LUT4 cells before packing; a carry cell of ECP5 counts as two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from amaranth import Const

from edgeternary.hdl import estimate_matrix, estimate_wired, memory
from edgeternary.hdl.devices import Family, family
from edgeternary.hdl.folding import Folding, fold
from edgeternary.hdl.together import SHARES
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from edgeternary_hw import (
    Add,
    Answer,
    ArgMax,
    Concat,
    Fill,
    Fork,
    Lookup,
    MatrixVector,
    MaxPool,
    Multiply,
    Narrow,
    Pick,
    Recode,
    Replay,
    Requantize,
    RmsNorm,
    Row,
    Skid,
    Starts,
    State,
    SumPool,
    Threshold,
    Turns,
    Widen,
    Window,
    WiredArgMax,
    WiredDense,
    WiredThreshold,
)
from edgeternary_hw.multiplier import Speed
from edgeternary_hw.signed_digits import product_bits, sums
from edgeternary_hw.single_port import SINGLE, columns
from edgeternary_hw.stage import MemorySize


def _matrix(p: MatrixVector) -> tuple[float, float]:
    """Terms, two LUTs for each bit of a full adder, adders on the carry chain, the results' way out."""
    groups, left = p.pe // p.outputs, estimate_matrix.left(p)
    out = p.pe * p.acc_width
    if left is None:
        shape = p.shape
        totals = p.pe * p.total_width if p.adds_totals else 0
        free = sum(s.size for s in shape.stages[0] if p.one_sided(s.low))
        luts = sum(s.size for s in shape.stages[0]) - free + 2 * shape.adder_bits + totals
        ffs = shape.stage_bits + totals
    else:
        totals = sum(left.two) if p.adds_totals else 0
        luts = left.terms + left.adders + totals
        ffs = left.ffs + totals
        if p.beats == 1:
            out = sum(max(pair) for pair in zip(left.two, left.one, strict=True))
    luts += out * (p.beats > 1) + out * (groups > 1 or p.full)
    ffs += (2 + p.full) * out + len(p.i.payload)
    if p.inside:
        luts += len(p.i.payload) + 5
        ffs += 2 * len(p.i.payload) + 2
    if p.packed:
        luts += memory.decoder_luts(p)
        ffs += 2 * p.pe * p.simd + len(p.i.payload)
    if not p.raw:
        luts += p.outputs * p.out_width + 8
        ffs += p.outputs * (p.acc_width + p.out_width)
    return luts + 3 * _bits(p.beats) + 3 * _bits(groups) + 12, ffs + 20


def _threshold(p: Threshold) -> tuple[float, float]:
    width, code = len(p.i.payload) // p.lanes, len(p.o.payload) // p.lanes
    count = len(p.thresholds[0])
    kinds = len(p.kinds) * code if len(p.kinds) > 1 else 0
    if p.mode == "parallel":
        each = count * (width + 1) + (2 * count if count > 1 else 1) + kinds
        return p.lanes * each + 8, p.lanes * (width + count + code)
    if p.mode == "tree":
        return p.lanes * (p.levels * (width + 2) + kinds) + 10, p.lanes * 2 * p.levels * (width + p.levels)
    return p.lanes * (width + 3 * p.levels + kinds) + 20, p.lanes * (width + p.levels) + 20


def _requantize(p: Requantize) -> tuple[float, float]:
    width, code = len(p.i.payload) // p.lanes, len(p.o.payload) // p.lanes
    factors = [abs(m) for m in p.columns[0]]
    size = width + max(factors).bit_length()
    left = size - p.shift
    shift = max(p.columns[2]).bit_length() * left
    if len(set(p.columns[0])) == 1:
        parts = len(sums(Const(0, 1), factors[0]))
        bias = 0 if len(set(p.columns[1])) == 1 else p.shift
        each = product_bits(width, factors[0]) + (size if parts > 1 else 0) + bias + 3.3 * left + code / 2
        return p.lanes * (each + shift) + 8, p.lanes * ((parts + 1) * size + left + code)
    terms = max(factors).bit_length()
    each = (terms - 1) * size * 1.5 + terms * width / 2 + size + shift + 3 * code
    return p.lanes * each + 8, p.lanes * (width + 2 * size + code)


def _multiply(p: Multiply) -> tuple[float, float]:
    """A LUT for each bit to choose -a, 0, a or 2a, and an adder; registers and counters."""
    each = p.speed.digits * (2 * (p.a_width + 2) + 6)
    ffs = 2 * p.a_width + p.b_width + len(p.o.payload) + _between(p.speed, p.a_width)
    return p.lanes * each + 30, p.lanes * ffs + 10


def _between(speed: Speed, width: int) -> int:
    """Registers between the stages of a multiplier: the factor, the sum, what is left of the other one."""
    return (speed.stages - 1) * (2 * width + 2 * speed.digits + 1)


def _rms_norm(p: RmsNorm) -> tuple[float, float]:
    """A multiplier, the sum of squares with its shifts by two, the root's three adders and two choices, the
    shift of a product by any distance, and a clamp."""
    width, total = p.element.width, 16 + 2 * p.most_h
    luts = 3.3 * p.speed.digits * 19 + 2 * total + 170 + 4 * (17 + width) + 2 * width + 90
    return luts, 5 * width + total + 2 * 33 + 34 + 90 + _between(p.speed, 17)


def _window(p: Window) -> tuple[float, float]:
    bits = p.address_bits
    pads = sum(10 for axis in (0, 1) if p.pad[axis] or p.pad[axis + 2])
    kernel = (1, 1) if p.wide else p.kernel
    counts = (p.beats // p.sections, *kernel, p.passes, p.sections, p.out_width, p.out_height)
    mux = p.taps * p.lane_bits if pads else 0
    adders = (
        sum(bits - _zeros(place) for place in p.places if place) if p.wide else p.taps * bits * (p.taps > 1)
    )
    luts = 4 * bits + adders + pads + mux + sum(1.5 * _bits(n) for n in counts) + 20
    return luts, 4 * bits + sum(_bits(n) + 1 for n in counts) + 20


def _replay(p: Replay) -> tuple[float, float]:
    bits = p.depth.bit_length()
    return 5 * bits + 2 * _bits(p.length) + 2 * _bits(p.times) + 12, 4 * bits + _bits(p.length) + 6


def _state(p: State) -> tuple[float, float]:
    """Two FIFOs, and the choice between the initial contents and what was written, behind a register."""
    rings = [_replay(part) for part in (p.ring, p.bits)]
    bits = _bits(len(p.initial))
    own = (p.width + 2 * bits + 8, p.width * (2 if p.memories else 1) + bits + 4)
    return sum(luts for luts, _ in rings) + own[0], sum(ffs for _, ffs in rings) + own[1]


def _pool(p: MaxPool | SumPool) -> tuple[float, float]:
    luts, ffs = _window(p.window)
    each = len(p.reduce.o.payload) * (2 if isinstance(p, SumPool) else 3)
    return luts + each + 15, ffs + 2 * len(p.reduce.o.payload) + 10


def _payload(luts: float, ffs: float) -> Callable[[Any], tuple[float, float]]:
    """So many for each bit of the output, and a few for control."""
    return lambda p: (luts * len(p.o.payload) + 8, ffs * len(p.o.payload) + 6)


def _add(p: Add) -> tuple[float, float]:
    inputs = len(p.i0.payload) + len(p.i1.payload)
    return inputs + len(p.o.payload) + 20, 2 * inputs + len(p.o.payload) + 6


CONTROL = 15  # LUTs of counters of a matrix
LOADER = {"luts": 120, "ffs": 100, "ram_blocks": 0}  # counted: a CRC of 32 bits, an address, control

WORDS = ("luts", "ffs", "logic_cells", "ram_blocks", "single_port_rams")

FORMULAS: Mapping[type, Callable[[Any], tuple[float, float]]] = {
    MatrixVector: _matrix,
    Threshold: _threshold,
    Requantize: _requantize,
    Window: _window,
    Replay: _replay,
    MaxPool: _pool,
    SumPool: _pool,
    Add: _add,
    Multiply: _multiply,
    Answer: lambda p: (len(p.i.payload) * 3 + p.rest_bits + 8, len(p.i.payload) * 2 + p.rest_bits + 18),
    ArgMax: lambda p: (len(p.i.payload) * 2 + 15, len(p.i.payload) + 15),
    Concat: _payload(1, 0),
    Fill: lambda p: (len(p.o.payload) / 2 + 2 * _bits(p.beats) + 4, _bits(p.beats) + 1),
    Fork: lambda p: (3 * p.count + 2, p.count),
    Lookup: _payload(0.2, 1),
    RmsNorm: _rms_norm,
    Row: lambda p: (2 * _bits(p.beats) + 12, len(p.i.payload) + len(p.o.payload) + _bits(p.beats) + 6),
    Pick: lambda p: (0, 0),
    Turns: lambda p: (3 * p.count + 10, p.count + _bits(max(p.beats))),
    Narrow: lambda p: (2 * len(p.i.payload) + 10, 3 * len(p.i.payload) + 6),
    Widen: lambda p: (12, len(p.o.payload) + 4),
    Recode: lambda p: (len(p.o.payload) / 2, 0),
    WiredDense: estimate_wired.dense,
    WiredThreshold: estimate_wired.threshold,
    WiredArgMax: lambda p: (2 * len(p.i.payload), len(p.o.payload) + 2),
    Starts: lambda p: (3 * p.count + 2 * _bits(p.beats) + 6, p.count + _bits(p.beats) + 3),
    State: _state,
    Skid: lambda p: (len(p.o.payload) + 5, 2 * len(p.o.payload) + 2),
}


def by_part(design: Design, device: str, available: int | None = None) -> dict[str, dict[str, int]]:
    """WORDS (single_port_rams where there are some) of each part by instance name, its memories placed as
    hdl.memory does. A logic cell holds a LUT, a carry and a flip-flop, as far as these belong together."""
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
        row["logic_cells"] = round(row["luts"] + fabric.alone * row["ffs"])
    assert placing.used == sum(row["ram_blocks"] for row in found.values())
    return found


def _plain(parts: memory.Parts, fabric: Family) -> dict[str, dict[str, int]]:
    """By instance name, what a part takes beside its memories."""
    found = {}
    for name, part in parts:
        luts, ffs = _formula(part)(part)
        if fabric.lone_carry:
            luts = _lone_carry(part, luts)
        found[name] = {"luts": round(luts), "ffs": round(ffs), "ram_blocks": 0}
    return found


def least(design: Design, device: str) -> int:
    """LUTs that the design needs wherever its memories go: a bound that costs far less than placing them."""
    return sum(row["luts"] for row in _plain(design.top.parts, family(device)).values())


def _lone_carry(part: Any, luts: float) -> float:
    """Where a carry cell only adds: loading an accumulator takes half a LUT a bit, counters a third more."""
    if isinstance(part, MatrixVector):
        return luts + part.pe * part.total_width * (part.beats > 1) / 2 + CONTROL
    return luts * 1.3 if isinstance(part, Window | Replay | MaxPool | SumPool) else luts


def _add_memory(row: dict[str, int], size: MemorySize, style: str, fabric: Family, logic: int) -> None:
    if style == "block":
        row["ram_blocks"] += memory.blocks(size, fabric)
        row["luts"] += memory.block_luts(size, fabric)
        return
    row["luts"] += logic
    row["ffs"] += size.width * (size.depth if size.writable and not fabric.small_ram else 1)


def _add_single_port(rows: dict[str, dict[str, int]], name: str, size: MemorySize) -> None:
    """Of a memory that a loader fills: the choice of the address; and once the loader itself."""
    rows.setdefault("loader", dict(LOADER))
    rows[name]["luts"] += (size.depth - 1).bit_length() + columns(size.width)
    rows[name]["single_port_rams"] = memory.single_port_rams(size)


def _formula(part: Any) -> Callable[[Any], tuple[float, float]]:
    return next((FORMULAS[kind] for kind in type(part).__mro__ if kind in FORMULAS), _payload(3, 1))


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
        layer = design.layers.get(name, name).split(SHARES)[0]
        found[layer] = found.get(layer, 0) + row["luts"]
    return {name: found[name] for name in (op.name for op in graph.ops)}


def _zeros(number: int) -> int:
    """Bits 0 at its low end: to add it needs none there."""
    return (number & -number).bit_length() - 1


def _bits(count: int) -> int:
    return (count - 1).bit_length() if count > 1 else 0
