"""RTLIL and Verilog of a graph."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from amaranth.back import rtlil as backend

from edgeternary.hdl.folding import Folding
from edgeternary.hdl.top import Design, build
from edgeternary.hdl.yosys import yosys
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier


def rtlil(graph: Graph, folding: Folding | None = None) -> str:
    """The design in yosys's intermediate language; the top module bears the model's identifier.

    Ports: clk, rst (synchronous), i__payload, i__valid, i__ready, o__payload, o__valid, o__ready.
    """
    return design_rtlil(build(graph, folding))


def design_rtlil(design: Design) -> str:
    """The same of a design that is there already."""
    text: str = backend.convert(design.top, name=identifier(design.graph.name), emit_src=False)
    return re.sub(r'^attribute \\generator ".*"\n', "", text, flags=re.M)


def verilog(graph: Graph, folding: Folding | None = None, tool: str = "auto") -> dict[str, str]:
    """{"<model>.v": text}: the design as Verilog-2005, ROM contents included. `tool`: see hdl.yosys."""
    return {f"{identifier(graph.name)}.v": design_verilog(build(graph, folding), tool)}


def design_verilog(design: Design, tool: str = "auto") -> str:
    """The same of a design that is there already."""
    name = identifier(design.graph.name)
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
        Path(folder, "design.il").write_text(design_rtlil(design), encoding="utf-8")
        script = "read_rtlil design.il; proc; opt_clean; memory_collect; write_verilog -noattr design.v"
        yosys(script, what=f"writing Verilog of model {design.graph.name!r}", folder=Path(folder), tool=tool)
        text = Path(folder, "design.v").read_text(encoding="utf-8")
    body = re.sub(r"\A/\*.*?\*/\n", "", text, flags=re.S)
    return f"/* Model {name}: stream ports i and o, one clock, synchronous reset. */\n{body}"
