"""Synthesis figures of a design, and the two checks that it has no multiplier.

The first check looks at the RTL after `proc; flatten; opt`, where a product is still one cell. The second
looks at the mapped netlist of a synthesis with DSP inference switched on: without that a real multiplier
would pass as an array of LUTs.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.devices import Family, family
from edgeternary.hdl.emit import rtlil
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.tools import constant_tables, shipped
from edgeternary.hdl.tools.output_registers import absorb
from edgeternary.hdl.tools.yosys import version, yosys
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.toolchains import cache

RTL_MULTIPLIERS = ("$mul", "$macc", "$macc_v2", "$div", "$mod", "$divfloor", "$modfloor", "$pow")
READ = "read_rtlil design.il"
TIMEOUT = 1800.0


def statistics(
    graph: Graph, device: str = "ice40", folding: Folding | None = None, tool: str = "auto"
) -> dict[str, int | str]:
    """luts, ffs, ram_blocks, multipliers (0) of the whole design, the device family and the yosys used.

    tool  auto, native or yowasp, see hdl.yosys. Results are cached by the digest of the design.
    EdgeTernaryError if a check finds a multiplier.
    """
    figures = count_cells(rtlil(graph, folding), identifier(graph.name), device, tool)
    refuse_multipliers(graph.name, figures)
    return figures


def shipped_statistics(graph: Graph, device: str = "ice40") -> dict[str, int | str] | None:
    """The figures of `statistics` that ship with the package for this very design, if there are some."""
    fabric, top = family(device), identifier(graph.name)
    return shipped.figures(top, rtlil(graph), synthesis_script(fabric, top, READ))


def count_cells(design: str, top: str, device_name: str, tool: str = "auto") -> dict[str, int | str]:
    """The figures of `statistics` for RTLIL text whose top module is `top`, multipliers counted, not refused.

    multipliers  cells of either check, whichever finds more
    """
    return synthesise(design, top, device_name, tool)[0]


def synthesise(
    design: str, top: str, device: str, tool: str = "auto", limit: float = TIMEOUT
) -> tuple[dict[str, int | str], Path]:
    """The figures of `count_cells`, and the folder that holds the netlist as netlist.json and netlist.v.

    design  RTLIL, or Verilog as hdl.emit writes it, which begins with a comment: what ships is measured
    limit   seconds that yosys may take

    One synthesis serves both: with DSP inference on, a netlist without multipliers is the one to place. In
    netlist.json, which is placed, block RAMs have taken in the registers that follow them.
    """
    fabric = family(device)
    yosys_version = version(tool)
    verilog = design.startswith("/*")
    file, read = ("design.v", "read_verilog design.v") if verilog else ("design.il", READ)
    tables = constant_tables.many(design)
    script = synthesis_script(fabric, top, read, tables)

    def fill(folder: Path) -> None:
        (folder / file).write_text(design, encoding="utf-8")
        (folder / constant_tables.FILE).write_text(constant_tables.MAP, encoding="utf-8")
        yosys(script, what=f"synthesis of {top} for {fabric.name}", folder=folder, tool=tool, timeout=limit)
        absorbed = absorb(folder / "netlist.json") if fabric.output_registers else 0
        (folder / "absorbed").write_text(str(absorbed), encoding="utf-8")

    key = cache.digest(design, script, yosys_version, str(fabric.output_registers))
    folder = cache.build(key, fill, "synthesis")
    rtl, mapped = (_cells(folder / name) for name in ("rtl.json", "mapped.json"))
    counted = figures_of(folder / "mapped.json", fabric)
    absorbed = int((folder / "absorbed").read_text(encoding="utf-8"))
    products = sum(count for cell, count in rtl.items() if cell in RTL_MULTIPLIERS)
    figures: dict[str, int | str] = {
        "luts": counted["luts"],
        "ffs": counted["ffs"] - absorbed,
        "ram_blocks": counted["ram_blocks"],
        "multipliers": max(products, _count(mapped, fabric.multipliers)),
        "device": fabric.name,
        "yosys": yosys_version,
    }
    if rams := mapped.get(fabric.single_port):
        figures["single_port_rams"] = rams
    return figures, folder


def synthesis_script(fabric: Family, top: str, read: str, tables: bool = False) -> str:
    """What yosys does in a synthesis; `read` is how it reads the design, `tables` whether it has many.

    Synthesis comes first: LUTs depend (2 %) on the number from which yosys counts its cells.
    """
    first = "; ".join((read, *constant_tables.passes(top))) if tables else read
    return (
        f"{first}; {fabric.synth.format(top=top)}; "
        "delete t:$scopeinfo; autoname; tee -q -o mapped.json stat -json; blackbox =A:whitebox; "
        "write_json netlist.json; write_verilog -noattr -norename netlist.v; "
        f"design -reset; {read}; hierarchy -top {top}; proc; flatten; opt; tee -q -o rtl.json stat -json"
    )


def refuse_multipliers(name: str, figures: Mapping[str, object]) -> None:
    """EdgeTernaryError if a check found a multiplier."""
    if figures["multipliers"]:
        raise EdgeTernaryError(
            f"the hardware of model {name!r} has {figures['multipliers']} multipliers",
            "every part must do without",
            "report this as a bug",
        )


def figures_of(report: Path, fabric: Family) -> dict[str, int]:
    """luts, ffs, ram_blocks out of yosys's `stat -json` of a netlist."""
    cells = _cells(report)
    return {
        "luts": sum(cells.get(cell, 0) * size for cell, size in fabric.luts.items()),
        "ffs": _count(cells, fabric.ffs),
        "ram_blocks": _count(cells, fabric.rams),
    }


def cell_types(folder: Path) -> dict[str, int]:
    """Cells of a netlist by type, out of the folder of `synthesise`."""
    return _cells(folder / "mapped.json")


def _cells(report: Path) -> dict[str, int]:
    """Cells by type out of `stat -json`."""
    found: dict[str, int] = json.loads(report.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
    return {cell.lstrip("\\"): count for cell, count in found.items()}


def _count(cells: Mapping[str, int], prefixes: tuple[str, ...]) -> int:
    return sum(count for cell, count in cells.items() if cell.startswith(prefixes))
