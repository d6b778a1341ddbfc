"""RTLIL, as Amaranth writes it, as data: modules of wires, memories, cells and processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

TOKEN = re.compile(r"[{}]|\[[\d:]+\]|\d+'[01xz-]*|[\\$]\S+")


@dataclass(frozen=True)
class Piece:
    """Bits low .. low + width - 1 of a wire; of no wire, the constant `bits`, most significant first."""

    wire: str
    low: int
    width: int
    bits: str = ""


Spec = tuple[Piece, ...]  # least significant piece first


@dataclass
class Wire:
    """A net. kind: "", input, output or inout. init: what a register holds at first, "" for no register.
    shown: it keeps its name, even where nothing reads it."""

    name: str
    width: int
    kind: str = ""
    init: str = ""
    shown: bool = False


@dataclass
class Memory:
    """`depth` words of `width` bits; style and the like in `attributes`."""

    name: str
    width: int
    depth: int
    attributes: dict[str, str]


@dataclass
class Cell:
    """An operator, a register, a port of a memory, or an instance of the module `kind`."""

    kind: str
    name: str
    attributes: dict[str, str]
    parameters: dict[str, str] = field(default_factory=dict)
    ports: dict[str, Spec] = field(default_factory=dict)

    def number(self, parameter: str) -> int:
        return int(self.parameters[parameter].split("'")[-1], 10)

    @property
    def memory(self) -> str:
        return self.parameters["MEMID"].strip('"').replace("\\\\", "\\")


@dataclass(frozen=True)
class Assign:
    left: Spec
    right: Spec


@dataclass
class Case:
    """What happens where the selector is one of `patterns` ("-" fits any bit), or, of none, otherwise."""

    patterns: list[str]
    body: list[Assign | Switch] = field(default_factory=list)


@dataclass
class Switch:
    selector: Spec
    cases: list[Case] = field(default_factory=list)


Body = list[Assign | Switch]


@dataclass
class Module:
    name: str
    wires: dict[str, Wire] = field(default_factory=dict)
    memories: dict[str, Memory] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    processes: list[Body] = field(default_factory=list)
    connects: list[Assign] = field(default_factory=list)

    @property
    def ports(self) -> list[Wire]:
        return [wire for wire in self.wires.values() if wire.kind]


def read(text: str) -> dict[str, Module]:
    """The modules of RTLIL text by name, the top one first."""
    modules: dict[str, Module] = {}
    lines = (line for line in map(str.strip, text.splitlines()) if line and line[0] != "#")
    attributes: dict[str, str] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "attribute":
            continue
        assert word == "module", line
        modules[rest] = _module(Module(rest), lines)
        attributes.clear()
    return modules


def _module(module: Module, lines: Iterator[str]) -> Module:
    attributes: dict[str, str] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "end":
            return module
        if word == "attribute":
            name, _, value = rest.partition(" ")
            attributes[name[1:]] = value
            continue
        if word == "wire":
            *words, name = rest.split()
            kinds = {"input", "output", "inout"}.intersection(words)
            init = attributes.get("init", "").partition("'")[2]
            module.wires[name] = Wire(name, int(words[1]), next(iter(kinds), ""), init, "shown" in attributes)
        elif word == "memory":
            _, width, _, depth, name = rest.split()
            module.memories[name] = Memory(name, int(width), int(depth), dict(attributes))
        elif word == "cell":
            kind, name = rest.split()
            module.cells.append(_cell(Cell(kind, name, dict(attributes)), module, lines))
        elif word == "process":
            module.processes.append(_body(module, lines, [])[0])
        elif word == "connect":
            module.connects.append(_assign(module, rest))
        else:
            raise ValueError(f"unknown line of RTLIL: {line[:100]}")
        attributes.clear()
    raise ValueError("RTLIL ends within a module")


def _cell(cell: Cell, module: Module, lines: Iterator[str]) -> Cell:
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "end":
            break
        name, _, value = rest.removeprefix("real ").removeprefix("signed ").partition(" ")
        if word == "parameter":
            cell.parameters[name[1:]] = value
        else:
            cell.ports[name[1:]] = spec(module, value)
    return cell


def _body(module: Module, lines: Iterator[str], ends: list[str]) -> tuple[Body, str]:
    """What stands before the next `end` or `case`, and that line."""
    body: Body = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "assign":
            body.append(_assign(module, rest))
        elif word == "switch":
            switch = Switch(spec(module, rest))
            line = next(lines)
            while line != "end":
                case = Case([p.strip().partition("'")[2] for p in line[4:].split(",") if p.strip()])
                case.body, line = _body(module, lines, ends)
                switch.cases.append(case)
            body.append(switch)
        else:
            return body, line
    raise ValueError("RTLIL ends within a process")


def _assign(module: Module, text: str) -> Assign:
    tokens = TOKEN.findall(text)
    left, rest = _spec(module, tokens)
    right, rest = _spec(module, rest)
    assert not rest, text
    return Assign(left, right)


def spec(module: Module, text: str) -> Spec:
    return _spec(module, TOKEN.findall(text))[0]


def _spec(module: Module, tokens: list[str]) -> tuple[Spec, list[str]]:
    """The first signal of `tokens`, and what follows it."""
    head, rest = tokens[0], tokens[1:]
    if head == "{":
        pieces: list[Piece] = []
        while rest[0] != "}":
            inner, rest = _spec(module, rest)
            pieces = [*inner, *pieces]
        return tuple(pieces), rest[1:]
    if head[0] in "\\$":
        low, width = 0, module.wires[head].width
        if rest and rest[0][0] == "[":
            high, _, end = rest[0][1:-1].partition(":")
            low = int(end or high)
            width, rest = int(high) - low + 1, rest[1:]
        return ((Piece(head, low, width),) if width else ()), rest
    bits = head.partition("'")[2]
    return ((Piece("", 0, len(bits), bits),) if bits else ()), rest


def width(spec: Spec) -> int:
    return sum(piece.width for piece in spec)


def cut(spec: Spec, top: int) -> Spec:
    """The lowest `top` bits."""
    found = []
    for piece in spec:
        if top <= 0:
            break
        if piece.width > top:
            bits = piece.bits[-top:] if piece.bits else ""
            piece = Piece(piece.wire, piece.low, top, bits)
        found.append(piece)
        top -= piece.width
    return tuple(found)


def above(spec: Spec, low: int) -> Spec:
    """The bits from `low` on."""
    found = []
    for piece in spec:
        if low >= piece.width:
            low -= piece.width
            continue
        bits = piece.bits[: piece.width - low]
        found.append(replace(piece, low=piece.low + low, width=piece.width - low, bits=bits))
        low = 0
    return tuple(found)
