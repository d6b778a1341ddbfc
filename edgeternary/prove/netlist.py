"""A flat module as yosys writes it to JSON: cells, registers and memories."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.tools.yosys import yosys
from edgeternary.prove.cells import Rule, parameter, rule
from edgeternary.toolchains import cache

Nets = tuple[int, ...]  # numbers of bits; 0 and 1 are constants, 2 is unknown
REGISTERS = ("$dff", "$dffe", "$sdff", "$sdffe", "$sdffce")
FIRST = 3  # number of yosys's bit 0


@dataclass
class Cell:
    """A cell without memory. outputs: the nets of its answer"""

    name: str
    rule: Rule
    inputs: dict[str, Nets]
    outputs: Nets
    parameters: dict[str, int]


@dataclass
class Register:
    """q follows d with each clock: where `enable` is 1, or `reset` gives `value`."""

    name: str
    q: Nets
    d: Nets
    enable: int = 1
    reset: int = 0
    value: Nets = ()
    reset_needs_enable: bool = False
    initial: Nets = ()


@dataclass
class Memory:
    """Words; reads are (address, data) at any time, writes (address, data, enables) with the clock."""

    name: str
    width: int
    size: int
    offset: int
    words: list[Nets]
    reads: list[tuple[Nets, Nets]] = field(default_factory=list)
    writes: list[tuple[Nets, Nets, Nets]] = field(default_factory=list)


@dataclass
class Module:
    """A flat module. nets: bits by the name of a wire"""

    name: str
    ports: dict[str, tuple[str, Nets]]
    nets: dict[str, Nets]
    cells: list[Cell]
    registers: list[Register]
    memories: list[Memory]
    count: int


READ = "{read}; hierarchy -check -top {top}; proc; flatten; memory_collect; opt_clean; write_json design.json"


def of_rtl(file: str, text: str, top: str, tool: str) -> Module:
    """The RTL in `text`, a file that yosys reads by its ending: only processes are turned into cells."""
    read = "read_rtlil" if file.endswith(".il") else "read_verilog"
    script = READ.format(read=f"{read} {file}", top=top)

    def fill(folder: Path) -> None:
        (folder / file).write_text(text, encoding="utf-8")
        yosys(script, what=f"reading {top}", folder=folder, tool=tool)

    folder = cache.build(cache.digest(text, script, tool), fill, "prove")
    return module(json.loads((folder / "design.json").read_text(encoding="utf-8")), top)


def module(content: dict[str, Any], top: str) -> Module:
    """One module of yosys's JSON."""
    found = content["modules"][top]
    nets = {name: _nets(entry["bits"]) for name, entry in found["netnames"].items()}
    initial: dict[int, int] = {}
    for name, entry in found["netnames"].items():
        for net, bit in zip(nets[name], reversed(entry["attributes"].get("init", "")), strict=False):
            initial[net] = {"0": 0, "1": 1}.get(bit, 2)
    ports = {name: (p["direction"], _nets(p["bits"])) for name, p in found["ports"].items()}
    cells, registers, memories = [], [], []
    for name, entry in found["cells"].items():
        kind = entry["type"]
        wires = {port: _nets(bits) for port, bits in entry["connections"].items()}
        if kind in REGISTERS:
            registers.append(_register(name, entry, wires, initial))
        elif kind in ("$mem_v2", "$mem"):
            memories.append(_memory(name, entry["parameters"], wires))
        elif kind != "$scopeinfo":
            numbers = {key: parameter(value) for key, value in entry["parameters"].items()}
            ins = {port: bits for port, bits in wires.items() if entry["port_directions"][port] == "input"}
            outs = next(bits for port, bits in wires.items() if port not in ins)
            cells.append(Cell(name, rule(kind, name), ins, outs, numbers))
    highest = max((net for bits in nets.values() for net in bits), default=FIRST)
    used = [n for c in cells for n in c.outputs] + [n for r in registers for n in r.q]
    count = max([highest, *used, *(n for m in memories for _, data in m.reads for n in data)]) + 1
    return Module(top, ports, nets, cells, registers, memories, count)


def _nets(bits: Iterable[int | str]) -> Nets:
    return tuple(bit + FIRST if isinstance(bit, int) else {"0": 0, "1": 1}.get(bit, 2) for bit in bits)


def _text(value: str, width: int) -> Nets:
    """A parameter that may have unknown bits."""
    bits = [{"0": 0, "1": 1}.get(bit, 2) for bit in reversed(value)]
    return tuple(bits[:width] + [0] * (width - len(bits)))


def _register(name: str, entry: dict[str, Any], wires: dict[str, Nets], initial: dict[int, int]) -> Register:
    given = entry["parameters"]
    if not parameter(given.get("CLK_POLARITY", "1")):
        raise EdgeTernaryError(
            f"register {name} follows the falling edge", "no part of a design has such ones"
        )
    found = Register(name, wires["Q"], wires["D"], initial=tuple(initial.get(q, 2) for q in wires["Q"]))
    for port, word in (("EN", "enable"), ("SRST", "reset")):
        if port in wires:
            if not parameter(given[f"{port}_POLARITY"]):
                raise EdgeTernaryError(f"register {name} has an inverted {word}", "the prover reads none")
            setattr(found, word, wires[port][0])
    if "SRST" in wires:
        found.value = _text(given["SRST_VALUE"], len(found.q))
    found.reset_needs_enable = entry["type"] == "$sdffce"
    return found


def _memory(name: str, given: dict[str, Any], wires: dict[str, Nets]) -> Memory:
    width, size = parameter(given["WIDTH"]), parameter(given["SIZE"])
    bits, address = _text(given["INIT"], width * size), parameter(given["ABITS"])
    if parameter(given["RD_CLK_ENABLE"]):
        raise EdgeTernaryError(
            f"memory {name} has a read port with a clock", "the prover reads ports without"
        )
    words = [bits[k * width : (k + 1) * width] for k in range(size)]
    found = Memory(name, width, size, parameter(given["OFFSET"]), words)
    found.reads = list(zip(_split(wires["RD_ADDR"], address), _split(wires["RD_DATA"], width)))
    found.writes = list(
        zip(_split(wires["WR_ADDR"], address), _split(wires["WR_DATA"], width), _split(wires["WR_EN"], width))
    )
    return found


def _split(nets: Nets, width: int) -> Iterator[Nets]:
    return (nets[k : k + width] for k in range(0, len(nets), width))
