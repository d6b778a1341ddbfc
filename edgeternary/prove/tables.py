"""Tables of the RTL and of a netlist as cells of their own: as multiplexers they take yosys minutes.

The text is Verilog for yosys's `techmap`, and makes cells $lut; that for the RTL is in
hdl.tools.constant_tables.
"""

from __future__ import annotations

from edgeternary.hdl.tools.lut_models import models

TABLE = "\\$lut #(.WIDTH({size}), .LUT({init})) cell (.A({{{pins}}}), .Y({output}));"


def luts(cells: tuple[str, ...]) -> str:
    """Verilog that makes the LUTs of a family tables: yosys makes a module for each of their contents."""
    return models(cells, TABLE)
