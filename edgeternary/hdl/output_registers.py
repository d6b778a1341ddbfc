"""Flip-flops that follow a block RAM become the RAM's own output registers, which yosys does not infer.

The register of an ECP5 block RAM has an enable of its own (OCE; Lattice FPGA-TN-02204, ECP5 Memory Usage
Guide) and answers about 5 ns earlier than the RAM without it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeternary.hdl.devices import OutputRegister

FLIP_FLOP = "TRELLIS_FF"


def absorb(netlist: Path, registers: Mapping[str, tuple[OutputRegister, ...]]) -> int:
    """Rewrites a netlist in yosys's JSON; returns the flip-flops that went into RAMs.

    registers  by cell type. Those of a port are taken where every bit of it that is used leads to a flip-flop
               and nowhere else, all with the same clock, the same enable and no reset
    """
    design = json.loads(netlist.read_text(encoding="utf-8"))
    count = sum(_module(module, registers) for module in design["modules"].values())
    if count:
        netlist.write_text(json.dumps(design), encoding="utf-8")
    return count


def _module(module: Any, registers: Mapping[str, tuple[OutputRegister, ...]]) -> int:
    cells = module["cells"]
    uses = Counter(bit for port in module["ports"].values() for bit in port["bits"])
    followers = {}
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output":
                uses.update(bits)
        if cell["type"] == FLIP_FLOP:
            followers[cell["connections"]["DI"][0]] = name
    found = 0
    for cell in list(cells.values()):
        for register in registers.get(cell["type"], ()):
            found += _port(cells, cell, register, uses, followers)
    return found


def _port(
    cells: Any, ram: Any, register: OutputRegister, uses: Counter[Any], followers: Mapping[Any, str]
) -> int:
    wires = ram["connections"]
    outputs = [p for p in wires if p.startswith(register.data) and p[len(register.data) :].isdigit()]
    used = {port: wires[port][0] for port in outputs if uses[wires[port][0]]}
    names = {port: followers.get(bit) for port, bit in used.items() if uses[bit] == 1}
    if not used or len(names) != len(used) or None in names.values():
        return 0
    flops = {port: cells[name] for port, name in names.items()}
    controls = {_control(flop) for flop in flops.values()}
    if len(controls) != 1 or (enable := controls.pop()) is None or enable[1] != wires[register.clock][0]:
        return 0
    ram["parameters"][register.mode] = "OUTREG"
    wires[register.enable] = [enable[0]]
    for port, flop in flops.items():
        wires[port] = flop["connections"]["Q"]
        del cells[names[port]]
    return len(flops)


def _control(flop: Any) -> tuple[Any, Any] | None:
    """Enable and clock of a flip-flop that such a register can stand for, None for another."""
    parameters, wires = flop["parameters"], flop["connections"]
    plain = parameters.get("REGSET", "RESET") == "RESET" and parameters.get("CLKMUX", "CLK") == "CLK"
    enable = {"CE": wires.get("CE", ["1"])[0], "1": "1"}.get(parameters.get("CEMUX", "CE"))
    if not plain or wires.get("LSR", ["0"]) != ["0"] or enable is None:
        return None
    return enable, wires["CLK"][0]
