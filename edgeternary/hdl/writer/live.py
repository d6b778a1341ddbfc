"""Which bits of which wires are read: what a module's outputs and instances depend on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from edgeternary.hdl.writer.netlist import Assign, Body, Cell, Module, Piece, Spec, Wire, cut, width
from edgeternary.hdl.writer.operators import OPERATORS, Operand, made, operands
from edgeternary.hdl.writer.processes import pruned, specs

Item = Cell | Assign | Body
OUTPUTS = {"$dff": "Q", "$adff": "Q", "$memrd_v2": "DATA", **dict.fromkeys(OPERATORS, "Y")}


class Live:
    """The live part of a module.

    uses      {wire: mask of the bits that something reads}
    declared  {wire: its bits in Verilog}
    counts    {wire: how often it is read as a whole}; a wire in `sliced` is read in part
    driver    {wire: what drives it}
    kept      instances and foreign cells
    merged    {result of a process that a register takes, and nobody else: that register's output}
    """

    def __init__(self, module: Module, done: Mapping[str, Live], *, top: bool = False) -> None:
        self.module, self.done, self.is_top = module, done, top
        self.uses: dict[str, int] = {}
        self.driver: dict[str, Item] = {}
        self.kept: list[Cell] = []
        self._drive()
        self.merged = self._merged()
        self.memories: set[str] = set()
        self._mark(self._roots())
        self.declared = {name: self._declared(name) for name in module.wires}
        self.counts: Counter[str] = Counter()
        self.sliced: set[str] = set()
        for operand in self._read():
            self._count(operand)

    def top(self, wire: str) -> int:
        """Bits up to the highest one that is read."""
        return self.uses.get(wire, 0).bit_length()

    def unused(self, wire: str) -> int:
        """Mask of the bits that are there, although nobody reads them."""
        return ((1 << self.declared[wire]) - 1) & ~self.uses.get(wire, 0)

    def alone(self, wire: str) -> bool:
        """Whether a wire is there for its name: nothing reads it."""
        found = self.module.wires[wire]
        return found.shown and not found.kind and self.counts[wire] == 1

    def inputs(self, cell: Cell) -> Iterator[tuple[str, Spec]]:
        """The ports of an instance with what they are connected to, but those that it does not read."""
        inner = self.done.get(cell.kind)
        for port, spec in cell.ports.items():
            wire = inner.module.wires[f"\\{port}"] if inner else None
            if inner is None or wire is None or inner.kept_port(wire):
                yield port, spec

    def kept_port(self, wire: Wire) -> bool:
        """Whether a port is there: of an inner module no input that it does not read."""
        return self.is_top or wire.kind != "input" or bool(self.uses.get(wire.name))

    def inlined(self, wire: str) -> bool:
        """Whether it is written where it is read: a nameless result that one other place reads as a whole."""
        item = self.driver.get(wire)
        whole = wire not in self.sliced and self.declared[wire] == self.top(wire)
        return wire[0] == "$" and self.counts[wire] == 1 and whole and _operator(item)

    def _drive(self) -> None:
        module = self.module
        for cell in module.cells:
            if cell.kind in OUTPUTS:
                self.driver[cell.ports[OUTPUTS[cell.kind]][0].wire] = cell
            elif cell.kind[0] == "\\" or cell.kind == "$tribuf":
                self.kept.append(cell)
            elif cell.kind not in ("$memwr_v2", "$meminit_v2"):
                raise ValueError(f"no Verilog for cells {cell.kind}")
        for process in module.processes:
            assert isinstance(process[0], Assign)
            self.driver[process[0].left[0].wire] = process
        for connect in filter(lambda connect: connect.left, module.connects):
            self.driver[connect.left[0].wire] = connect

    def _merged(self) -> dict[str, str]:
        reads: Counter[str] = Counter()
        for cell in self.module.cells:
            reads.update(piece.wire for spec in cell.ports.values() for piece in spec)
        for body in self.module.processes:
            reads.update(piece.wire for spec in specs(body) for piece in spec)
        reads.update(piece.wire for connect in self.module.connects for piece in connect.right)
        found = {}
        for cell in self.module.cells:
            if cell.kind == "$dff" and len(cell.ports["D"]) == 1:
                (d,), (q,) = cell.ports["D"], cell.ports["Q"]
                alone = (
                    d.wire[:1] == "$" and reads[d.wire] == 1 and d.width == self.module.wires[d.wire].width
                )
                if alone and isinstance(self.driver.get(d.wire), list):
                    found[d.wire] = q.wire
        return found

    def _roots(self) -> Iterator[Spec]:
        for wire in self.module.wires.values():
            if wire.kind in ("output", "inout") or wire.shown:
                yield (Piece(wire.name, 0, wire.width),)
        for cell in self.kept:
            for _, spec in self.inputs(cell):
                yield from (() if self._drives(cell, spec) else (spec,))

    def _drives(self, cell: Cell, spec: Spec) -> bool:
        """Whether a cell's port is an output: what it is connected to has no driver else."""
        if (inner := self.done.get(cell.kind)) is not None:
            port = next(port for port, found in cell.ports.items() if found is spec)
            return inner.module.wires[f"\\{port}"].kind == "output"
        wire = self.module.wires.get(spec[0].wire) if len(spec) == 1 else None
        return wire is not None and not wire.kind and wire.name not in self.driver

    def _mark(self, roots: Iterator[Spec]) -> None:
        waiting = list(roots)
        reached: dict[str, int] = {}
        while waiting:
            for piece in waiting.pop():
                if not piece.wire:
                    continue
                mask = self.uses.get(piece.wire, 0) | ((1 << piece.width) - 1) << piece.low
                self.uses[piece.wire] = mask
                if mask.bit_length() > reached.get(piece.wire, 0):
                    reached[piece.wire] = mask.bit_length()
                    waiting += [operand.spec for operand in self.reads(piece.wire)]

    def _read(self) -> Iterator[Operand]:
        """All that is read, once for each place."""
        for spec in self._roots():
            yield Operand(spec, width(spec))
        self.memories.clear()
        for wire in list(self.uses):
            yield from self.reads(wire)

    def reads(self, wire: str) -> Iterator[Operand]:
        """What the driver of a wire reads for the bits of it that are read."""
        item, top = self.driver.get(wire), self.top(wire)
        if isinstance(item, list):
            kept = self.merged.get(wire)
            yield from (Operand(spec, width(spec)) for spec in specs(pruned(item, top), kept))
        elif isinstance(item, Assign):
            yield Operand(cut(item.right, top), min(top, width(item.right)))
        elif isinstance(item, Cell):
            if item.kind in OPERATORS:
                yield from operands(item, top)
            elif item.kind == "$memrd_v2":
                names = ("ADDR", "EN", "CLK") if item.number("CLK_ENABLE") else ("ADDR",)
                yield from (Operand(item.ports[name], 0) for name in names)
                yield from self._written(item.memory)
            else:
                yield Operand(cut(item.ports["D"], top), top)
                yield from (Operand(item.ports[n], 1) for n in ("CLK", "ARST") if n in item.ports)

    def _written(self, memory: str) -> Iterator[Operand]:
        if memory in self.memories:
            return
        self.memories.add(memory)
        for cell in self.module.cells:
            if cell.kind == "$memwr_v2" and cell.memory == memory:
                yield from (Operand(cell.ports[name], 0) for name in ("ADDR", "DATA", "EN", "CLK"))

    def _declared(self, name: str) -> int:
        wire, item, top = self.module.wires[name], self.driver.get(name), self.top(name)
        memory = isinstance(item, Cell) and item.kind == "$memrd_v2"
        if wire.kind or item is None or memory:
            return wire.width
        return made(item, top) if top and _operator(item) and isinstance(item, Cell) else top

    def _count(self, operand: Operand) -> None:
        for piece in operand.spec:
            self.counts[piece.wire] += 1
            if piece.wire and (piece.low or piece.width != self.declared[piece.wire]):
                self.sliced.add(piece.wire)
        if operand.copies > 0 and operand.spec:
            self.sliced.add(operand.spec[-1].wire)


def _operator(item: Item | None) -> bool:
    return isinstance(item, Cell) and item.kind in OPERATORS
