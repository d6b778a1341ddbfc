"""What is proven: a design with the graph that it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeternary.ir import Graph
from edgeternary.ir.names import identifier

if TYPE_CHECKING:
    from edgeternary.hdl.top import Design


@dataclass
class Subject:
    """What is proven.

    rtl        Verilog of the design;  bitstream: of the same design, if there is one
    netlist    whether synthesis is run, and its netlist proven
    """

    graph: Graph
    design: Design
    device: str
    rtl: str
    netlist: bool = True
    bitstream: bytes = b""
    yosys: str = "auto"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def top(self) -> str:
        return identifier(self.graph.name)
