"""Synthesis figures of a design, and the two checks that it has no multiplier.

The first check looks at the RTL after `proc; flatten; opt`, where a product is still one cell. The second
looks at the mapped netlist of a synthesis with DSP inference switched on: without that a real multiplier
would pass as an array of LUTs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.hdl.emit import rtlil
from edgeternary.hdl.folding import Folding
from edgeternary.hdl.yosys import version, yosys
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.toolchains import cache

RTL_MULTIPLIERS = ("$mul", "$macc", "$macc_v2", "$div", "$mod", "$divfloor", "$modfloor", "$pow")
TIMEOUT = 1800.0


@dataclass(frozen=True)
class Device:
    """An FPGA family as yosys sees it.

    synth        the synthesis command, with DSP inference on; it ends before its own report
    luts         LUT4 cells, and how many LUT4 each other cell type occupies
    ffs, rams    prefixes of the names of flip-flops and block RAMs
    multipliers  prefixes of the names of DSP cells
    """

    name: str
    synth: str
    luts: Mapping[str, int]
    ffs: tuple[str, ...]
    rams: tuple[str, ...]
    multipliers: tuple[str, ...]


DEVICES = {
    "ice40": Device(
        "ice40",
        "synth_ice40 -dsp -top {top} -run :check",
        {"SB_LUT4": 1},  # a carry sits beside the LUT of its adder
        ("SB_DFF",),
        ("SB_RAM40_4K", "SB_SPRAM256KA"),
        ("SB_MAC16",),
    ),
    "ecp5": Device(
        "ecp5",
        "synth_ecp5 -nowidelut -top {top} -run :check",  # wide LUTs double the LUTs of popcounts
        {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},  # a carry cell and a small RAM take the place of LUTs
        ("TRELLIS_FF",),
        ("DP16KD", "PDPW16KD"),
        ("MULT9X9D", "MULT18X18D", "ALU24B", "ALU54B"),
    ),
}


def device(name: str) -> Device:
    """The device family called `name`; EdgeTernaryError (code 2) if there is none."""
    if name not in DEVICES:
        raise EdgeTernaryError(
            f"unknown device {name[:40]!r}", f"known are {', '.join(DEVICES)}", "choose one of them", USAGE
        )
    return DEVICES[name]


def statistics(
    graph: Graph, device: str = "ice40", folding: Folding | None = None, tool: str = "auto"
) -> dict[str, int | str]:
    """luts, ffs, ram_blocks, multipliers (0) of the whole design, the device family and the yosys used.

    tool  auto, native or yowasp, see hdl.yosys. Results are cached by the digest of the design.
    EdgeTernaryError if a check finds a multiplier.
    """
    figures = count_cells(rtlil(graph, folding), identifier(graph.name), device, tool)
    if figures["multipliers"]:
        raise EdgeTernaryError(
            f"the hardware of model {graph.name!r} has {figures['multipliers']} multipliers",
            "every part must do without",
            "report this as a bug",
        )
    return figures


def count_cells(design: str, top: str, device_name: str, tool: str = "auto") -> dict[str, int | str]:
    """The figures of `statistics` for RTLIL text whose top module is `top`, multipliers counted, not refused.

    multipliers  cells of either check, whichever finds more
    """
    family = device(device_name)
    synth = family.synth.format(top=top)
    yosys_version = version(tool)
    script = (
        f"read_rtlil design.il; hierarchy -top {top}; proc; flatten; opt; tee -q -o rtl.json stat -json; "
        f"design -reset; read_rtlil design.il; {synth}; tee -q -o mapped.json stat -json"
    )

    def fill(folder: Path) -> None:
        (folder / "design.il").write_text(design, encoding="utf-8")
        yosys(script, what=f"synthesis of {top} for {family.name}", folder=folder, tool=tool, timeout=TIMEOUT)

    folder = cache.build(cache.digest(design, script, yosys_version), fill, "synthesis")
    rtl, mapped = (_cells(folder / name) for name in ("rtl.json", "mapped.json"))
    products = sum(count for cell, count in rtl.items() if cell in RTL_MULTIPLIERS)
    return {
        "luts": sum(mapped.get(cell, 0) * size for cell, size in family.luts.items()),
        "ffs": _count(mapped, family.ffs),
        "ram_blocks": _count(mapped, family.rams),
        "multipliers": max(products, _count(mapped, family.multipliers)),
        "device": family.name,
        "yosys": yosys_version,
    }


def _cells(report: Path) -> dict[str, int]:
    """Cells by type out of `stat -json`."""
    found: dict[str, int] = json.loads(report.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
    return {cell.lstrip("\\"): count for cell, count in found.items()}


def _count(cells: Mapping[str, int], prefixes: tuple[str, ...]) -> int:
    return sum(count for cell, count in cells.items() if cell.startswith(prefixes))
