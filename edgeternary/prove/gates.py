"""Netlists of gates as logic between registers, which are those of another netlist by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TABLES = {  # lines of BLIF by type of gate
    "$_NOT_": "0 1", "$_BUF_": "1 1", "$_AND_": "11 1", "$_NAND_": "0- 1\n-0 1", "$_OR_": "1- 1\n-1 1",
    "$_NOR_": "00 1", "$_XOR_": "10 1\n01 1", "$_XNOR_": "11 1\n00 1", "$_ANDNOT_": "10 1",
    "$_ORNOT_": "1- 1\n-0 1", "$_MUX_": "1-0 1\n-11 1",
}  # fmt: skip
TABLE = "$lut "  # begins the type of a table, whose entries follow, that of address 0 last
PINS = ("A", "B", "S")
CLOCK = "clk"
Net = int | str
Name = tuple[str, int]  # of a wire, and the bit


@dataclass
class Gates:
    """A flat module of gates.

    inputs, outputs  nets by (port, bit);  gates: (type, nets of its pins, net of its answer)
    registers        {net of q: net of d};  initial: {net of q: 0 or 1}
    names            of every net
    """

    inputs: dict[Name, Net]
    outputs: dict[Name, Net]
    gates: list[tuple[str, tuple[Net, ...], Net]]
    registers: dict[Net, Net]
    initial: dict[Net, int]
    names: dict[Net, list[Name]]
    others: dict[str, int]


def read(path: Path, top: str) -> Gates:
    """The module that yosys wrote as JSON."""
    module = json.loads(path.read_text(encoding="utf-8"))["modules"][top]
    names: dict[Net, list[Name]] = {}
    initial: dict[Net, int] = {}
    for wire, entry in module["netnames"].items():
        init = entry["attributes"].get("init", "")
        for k, net in enumerate(entry["bits"]):
            names.setdefault(net, []).append((wire, k))
            if k < len(init) and init[-1 - k] in "01":
                initial[net] = int(init[-1 - k])
    found = Gates({}, {}, [], {}, initial, names, {})
    for port, entry in module["ports"].items():
        side = found.inputs if entry["direction"] == "input" else found.outputs
        side |= {(port, k): net for k, net in enumerate(entry["bits"])}
    for entry in module["cells"].values():
        kind, pins = entry["type"], {pin: bits[0] for pin, bits in entry["connections"].items() if bits}
        if kind == "$_DFF_P_":
            found.registers[pins["Q"]] = pins["D"]
        elif kind in TABLES:
            found.gates.append((kind, tuple(pins[pin] for pin in PINS if pin in pins), pins["Y"]))
        elif kind == "$lut":
            address = tuple(entry["connections"]["A"])
            entries = entry["parameters"]["LUT"].replace("x", "0")[-(1 << len(address)) :]
            found.gates.append((TABLE + entries.zfill(1 << len(address)), address, pins["Y"]))
        elif kind != "$scopeinfo":
            found.others[kind] = found.others.get(kind, 0) + 1
    return found


@dataclass
class Pairs:
    """The registers of one netlist as those of another.

    same     {net of a register: the register of the other, or 0 or 1 where it always is that there}
    missing  names of registers that have no match
    again    {register of the other: one of it in `same`, or 0, that always holds the same}
    """

    same: dict[Net, Net]
    missing: list[str]
    again: dict[Net, Net] = field(default_factory=dict)


def paired(one: Gates, other: Gates, names: Mapping[Name, Name] = {}) -> Pairs:
    """Each register of `one` with the net of the same name in `other`; names: another name for some."""
    nets = {name: net for net, own in other.names.items() for name in own}
    found = Pairs({}, [])
    for q in one.registers:
        for name in one.names.get(q, ()):
            net = nets.get(names.get(name, name))
            if net in other.registers or net in ("0", "1"):
                assert net is not None
                found.same[q] = net
                break
        else:
            found.missing.append(min((f"{wire}[{k}]" for wire, k in one.names.get(q, ())), default=str(q)))
    return found


def live(gates: Gates, registers: Iterable[Net]) -> set[Net]:
    """The registers of a netlist that its outputs, or others of its registers, depend on."""
    driver = {y: pins for _, pins, y in gates.gates}
    stack, seen = [*gates.outputs.values(), *(gates.registers[q] for q in registers)], set[Net]()
    while stack:
        net = stack.pop()
        if net in seen:
            continue
        seen.add(net)
        stack += driver.get(net, ())
        if net in gates.registers:
            stack.append(gates.registers[net])
    return {q for q in gates.registers if q in seen}


def blif(gates: Gates, title: str, same: Mapping[Net, Net], wanted: list[tuple[str, Net]]) -> str:
    """The logic as BLIF: ports in, and q<net> for each register, whose name `same` gives; `wanted` are its
    outputs, by name."""
    inputs = sorted({f"{port}.{k}" for port, k in gates.inputs if port != CLOCK})
    states = sorted({f"q{net}" for net in same.values() if net not in ("0", "1")})
    lines = [f".model {title}", f".inputs {' '.join([*inputs, *states])}"]
    lines.append(f".outputs {' '.join(name for name, _ in wanted)}")
    lines += [".names n0", ".names n1", "1", ".names nx"]
    lines += [f".names {port}.{k} n{net}\n1 1" for (port, k), net in gates.inputs.items() if port != CLOCK]
    lines += [f".names {f'n{to}' if to in ('0', '1') else f'q{to}'} n{net}\n1 1" for net, to in same.items()]
    for kind, pins, y in gates.gates:
        rows = TABLES.get(kind) or _rows(kind.removeprefix(TABLE), len(pins))
        read = pins if rows else ()  # what has no row is 0
        lines.append("\n".join(filter(None, [f".names {' '.join(f'n{net}' for net in (*read, y))}", rows])))
    lines += [f".names n{net} {name}\n1 1" for name, net in wanted]
    return "\n".join([*lines, ".end"]) + "\n"


def _rows(entries: str, pins: int) -> str:
    """The addresses of a table whose entry is 1, pin 0 first."""
    ones = [a for a, entry in enumerate(reversed(entries)) if entry == "1"]
    return "\n".join(f"{f'{a:0{pins}b}'[::-1]} 1" for a in ones)


def functions(gates: Gates, same: Mapping[Net, Net], live_ones: Iterable[Net]) -> Iterator[tuple[str, Net]]:
    """What has to agree: ports out, and what each register takes."""
    for (port, k), net in sorted(gates.outputs.items()):
        yield f"{port}.{k}.o", net
    for q in sorted(set(live_ones) & set(same), key=str):
        yield f"d{q}", gates.registers[q]


def differing(log: str) -> list[str]:
    """The outputs that abc found to differ."""
    return re.findall(r"Output (\S+?)[:,]", log)
