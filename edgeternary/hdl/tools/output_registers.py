"""Flip-flops that follow a block RAM of an ECP5 become its own output registers, which yosys does not infer.

Such a register has an enable of its own (OCE) and answers about 5 ns earlier than the RAM without it (Lattice
FPGA-TN-02204, ECP5 Memory Usage Guide). A RAM that is read with 36 bits gives them on the outputs of both
ports, the low ones on A: both registers then are set up alike, clock and enable included.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RAM, FLIP_FLOP = "DP16KD", "TRELLIS_FF"
NONE = ("0", "1", "x")  # what yosys connects to where there is no signal


def absorb(netlist: Path) -> int:
    """Rewrites a netlist in yosys's JSON; returns the flip-flops that went into RAMs.

    Those of a read port are taken where every bit of it that is used leads to one flip-flop and nowhere else,
    all with the port's clock, the same enable and no reset.
    """
    design = json.loads(netlist.read_text(encoding="utf-8"))
    count = sum(_module(module) for module in design["modules"].values())
    if count:
        netlist.write_text(json.dumps(design), encoding="utf-8")
    return count


def _module(module: Any) -> int:
    cells = module["cells"]
    uses = Counter(bit for port in module["ports"].values() for bit in port["bits"])
    followers = {}
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) != "output":
                uses.update(bits)
        if cell["type"] == FLIP_FLOP:
            followers[cell["connections"]["DI"][0]] = name
    rams = [cell for cell in cells.values() if cell["type"] == RAM]
    return sum(_port(cells, ram, ports, uses, followers) for ram in rams for ports in _reads(ram))


def _reads(ram: Any) -> tuple[str, ...]:
    """The ports of the RAM that are read, each with those that go with it."""
    return ("AB",) if int(ram["parameters"]["DATA_WIDTH_B"], 2) > 18 else ("A", "B")


def _port(cells: Any, ram: Any, ports: str, uses: Counter[Any], followers: Mapping[Any, str]) -> int:
    wires, parameters = ram["connections"], ram["parameters"]
    outputs = [f"DO{p}{k}" for p in ports for k in range(18)]
    used = {out: wires[out][0] for out in outputs if uses[wires[out][0]]}
    names = {out: followers[bit] for out, bit in used.items() if uses[bit] == 1 and bit in followers}
    if not used or len(names) != len(used):
        return 0
    controls = {_control(cells[name]) for name in names.values()}
    clock, enable = controls.pop()
    clocks = {wires[f"CLK{p}"][0] for p in ports if wires[f"CLK{p}"][0] not in NONE}
    plain = all(parameters[f"CLK{p}MUX"] == f"CLK{p}" and wires[f"RST{p}"] == ["0"] for p in ports)
    if controls or enable is None or clocks != {clock} or not plain:
        return 0
    for p in ports:
        parameters[f"REGMODE_{p}"] = "OUTREG"
        wires[f"OCE{p}"], wires[f"CLK{p}"] = [enable], [clock]
    for out, name in names.items():
        wires[out] = cells[name]["connections"]["Q"]
        del cells[name]
    return len(names)


def _control(flop: Any) -> tuple[Any, Any]:
    """Clock of a flip-flop, and its enable: None for one that such a register cannot stand for."""
    parameters, wires = flop["parameters"], flop["connections"]
    plain = parameters.get("REGSET", "RESET") == "RESET" and parameters.get("CLKMUX", "CLK") == "CLK"
    enable = {"CE": wires.get("CE", ["1"])[0], "1": "1"}.get(parameters.get("CEMUX", "CE").strip())
    return wires["CLK"][0], enable if plain and wires.get("LSR", ["0"]) == ["0"] else None


if __name__ == "__main__":
    import sys

    print(f"{absorb(Path(sys.argv[1]))} flip-flops went into block RAMs")
