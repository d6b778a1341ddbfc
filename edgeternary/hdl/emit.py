"""RTLIL and Verilog of a graph."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from amaranth.back import rtlil as backend
from amaranth.lib import wiring

from edgeternary.hdl.folding import Folding
from edgeternary.hdl.top import Design, build
from edgeternary.hdl.yosys import yosys
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary_hw.single_port import SINGLE


def rtlil(graph: Graph, folding: Folding | None = None) -> str:
    """The design in yosys's intermediate language; the top module bears the model's identifier.

    Ports: clk, rst (synchronous), i__payload, i__valid, i__ready, o__payload, o__valid, o__ready.
    """
    return design_rtlil(build(graph, folding))


def design_rtlil(design: Design) -> str:
    """The same of a design that is there already."""
    return component_rtlil(design.top, identifier(design.graph.name))


def component_rtlil(component: wiring.Component, name: str) -> str:
    """The same of any component; its ports become those of the module `name`.

    No ring is read where it is being written in the same cycle, or the number is not used: tools are told
    that such a read may give anything, or they would build comparators to give the old word.
    """
    text: str = filled_later(backend.convert(component, name=name, emit_src=False))
    text = text.replace(r"parameter \COLLISION_X_MASK 1'0", r"parameter \COLLISION_X_MASK 1'1")
    return re.sub(r'^attribute \\generator ".*"\n', "", text, flags=re.M)


def filled_later(text: str) -> str:
    """RTLIL without the contents (zeros) of memories that a loader fills: their RAM cannot have any."""
    modules = re.split(r"(?m)^(?=module )", text)
    return "".join(map(_without_contents, modules))


def _without_contents(module: str) -> str:
    names = re.findall(rf'attribute \\ram_style "{SINGLE}"\n  memory .* \\(\S+)\n', module)
    for name in names:
        contents = r'(?ms)^  cell \$meminit_v2 \S+\n    parameter \\MEMID "\\\\%s"\n.*?^  end\n'
        module = re.sub(contents % re.escape(name), "", module)
    return module


def verilog(graph: Graph, folding: Folding | None = None, tool: str = "auto") -> dict[str, str]:
    """{"<model>.v": text}: the design as Verilog-2005, ROM contents included. `tool`: see hdl.yosys."""
    return {f"{identifier(graph.name)}.v": design_verilog(build(graph, folding), tool)}


def design_verilog(design: Design, tool: str = "auto") -> str:
    """The same of a design that is there already."""
    title = f"Model {identifier(design.graph.name)}: stream ports i and o, one clock, synchronous reset."
    return as_verilog(design_rtlil(design), title, f"writing Verilog of model {design.graph.name!r}", tool)


def as_verilog(text: str, title: str, what: str, tool: str = "auto") -> str:
    """RTLIL as Verilog-2005 under a comment. `what`: the job in words, for errors."""
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
        Path(folder, "design.il").write_text(text, encoding="utf-8")
        script = "read_rtlil design.il; proc; opt_clean; memory_collect; write_verilog -noattr design.v"
        yosys(script, what=what, folder=Path(folder), tool=tool)
        written = Path(folder, "design.v").read_text(encoding="utf-8")
    body = re.sub(r"\A/\*.*?\*/\n", "", written, flags=re.S)
    return f"/* {title} */\n{body}"
