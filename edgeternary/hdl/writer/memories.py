"""Memories as arrays that synthesis finds: contents, the attributes that say where they lie, and ports."""

from collections.abc import Iterator
from itertools import groupby

from edgeternary.hdl.writer.expressions import Expressions, constant
from edgeternary.hdl.writer.netlist import Cell, Memory, Module, above, cut, width

WORDS_A_LINE = 96  # characters of contents in one line
BLOCK = 8  # such lines in an initial block
LOOP = 512  # words that a loop sets


def declaration(say: Expressions, module: Module, memory: Memory) -> str:
    """The array. no_rw_check: a word that is read while it is written may come out as anything."""
    attributes = [f"{name} = {value}" for name, value in memory.attributes.items()]
    ports = [c for c in module.cells if c.kind == "$memrd_v2" and c.memory == memory.name]
    if any("1" in port.parameters["COLLISION_X_MASK"].partition("'")[2] for port in ports):
        attributes.append("no_rw_check")
    assert not any("1" in port.parameters["TRANSPARENCY_MASK"].partition("'")[2] for port in ports)
    prefix = f"(* {', '.join(attributes)} *) " if attributes else ""
    bits = f"[{memory.width - 1}:0] " if memory.width > 1 else ""
    return f"    {prefix}reg {bits}{say.names.memories[memory.name]} [0:{memory.depth - 1}];"


def contents(say: Expressions, module: Module, memory: Memory) -> Iterator[list[str]]:
    """Blocks of lines that set what it holds at first, loops for equal words; none where a loader does that.

    yosys takes a time that grows with the square of a block's statements, those of a loop too.
    """
    name = say.names.memories[memory.name]
    for cell in module.cells:
        if cell.kind != "$meminit_v2" or cell.memory != memory.name:
            continue
        bits = "".join(piece.bits for piece in reversed(cell.ports["DATA"]))
        size = memory.width
        words = [bits[len(bits) - size * (k + 1) : len(bits) - size * k] for k in range(memory.depth)]
        if len(set(words)) == 1 and len(words) > 1:
            say.loops = True
            for start in range(0, memory.depth, LOOP):
                end = min(start + LOOP, memory.depth)
                yield [f"for (k = {start}; k < {end}; k = k + 1) {name}[k] = {constant(words[0])};"]
            continue
        lines = [""]
        for k, word in enumerate(words):
            text = f"{name}[{k}] = {constant(word)};"
            if lines[-1] and len(lines[-1]) + len(text) > WORDS_A_LINE:
                lines.append("")
            lines[-1] += f" {text}" if lines[-1] else text
        yield from (lines[k : k + BLOCK] for k in range(0, len(lines), BLOCK))


def ports(say: Expressions, module: Module, memory: Memory) -> Iterator[str]:
    """The statements that write and read it."""
    name = say.names.memories[memory.name]
    for cell in module.cells:
        if cell.kind not in ("$memrd_v2", "$memwr_v2") or cell.memory != memory.name:
            continue
        address = say.spec(cell.ports["ADDR"]) if memory.depth > 1 else "0"
        if cell.kind == "$memwr_v2":
            yield from _write(say, cell, f"{name}[{address}]")
        elif say.live.uses.get(data := cell.ports["DATA"][0].wire):
            if not cell.number("CLK_ENABLE"):
                yield f"    assign {say.name(data)} = {name}[{address}];"
                continue
            statement = f"{say.name(data)} <= {name}[{address}];"
            enable = cell.ports["EN"]
            if enable[0].wire:
                statement = f"if ({say.spec(enable)}) {statement}"
            elif "0" in enable[0].bits:
                continue
            yield f"    always @(posedge {say.spec(cell.ports['CLK'])}) {statement}"


def _write(say: Expressions, cell: Cell, word: str) -> Iterator[str]:
    """One statement for all neighbouring bits that share an enable."""
    clock = say.spec(cell.ports["CLK"])
    enables = [cut(above(cell.ports["EN"], k), 1)[0] for k in range(width(cell.ports["EN"]))]
    low = 0
    for enable, group in groupby(enables):
        size = len(list(group))
        target = word if size == width(cell.ports["DATA"]) else f"{word}[{low + size - 1}:{low}]"
        data = say.spec(cut(above(cell.ports["DATA"], low), size))
        condition = f"if ({say.spec((enable,))}) " if enable.wire else ""
        if enable.wire or enable.bits == "1":
            yield f"    always @(posedge {clock}) {condition}{target} <= {data};"
        low += size
