"""RTLIL and Verilog of a graph."""

import re

from amaranth.back import rtlil as backend
from amaranth.lib import wiring

from edgeternary.hdl.describe import header, made_by
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.top import Design, build
from edgeternary.hdl.writer import modules
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
    texts = re.split(r"(?m)^(?=module )", text)
    return "".join(map(_without_contents, texts))


def _without_contents(module: str) -> str:
    names = re.findall(rf'attribute \\ram_style "{SINGLE}"\n  memory .* \\(\S+)\n', module)
    for name in names:
        contents = r'(?ms)^  cell \$meminit_v2 \S+\n    parameter \\MEMID "\\\\%s"\n.*?^  end\n'
        module = re.sub(contents % re.escape(name), "", module)
    return module


def verilog(graph: Graph, folding: Folding | None = None) -> dict[str, str]:
    """{"<model>.v": text}: the design as Verilog-2005, ROM contents included."""
    return {f"{identifier(graph.name)}.v": design_verilog(build(graph, folding))}


def design_verilog(design: Design) -> str:
    """The same of a design that is there already; synthesis makes of it what it makes of the RTLIL."""
    return modules.verilog(design_rtlil(design), header(design))


def as_verilog(text: str, title: str) -> str:
    """RTLIL as Verilog-2005, `title` above the top module."""
    return modules.verilog(text, lambda n: f"{n.rpartition('.')[2] if '.' in n else title}\n{made_by()}")
