"""Tables of the RTL and of a netlist as cells of their own: as multiplexers they take yosys minutes.

Both texts are Verilog for yosys's `techmap`, and make cells $lut.
"""

from __future__ import annotations

from edgeternary.hdl.tools.lut_models import models

SHIFT = """(* techmap_celltype = "$shr" *)
module constant_shift(A, B, Y);  // a shift of constants of which one bit is read is a table
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter [A_WIDTH-1:0] _TECHMAP_CONSTMSK_A_ = 0;
  parameter [A_WIDTH-1:0] _TECHMAP_CONSTVAL_A_ = 0;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = !(&_TECHMAP_CONSTMSK_A_) || Y_WIDTH > 1 || B_WIDTH > 8 || A_SIGNED || B_SIGNED;
  \\$lut #(.WIDTH(B_WIDTH), .LUT({{(1 << B_WIDTH){1'b0}}, _TECHMAP_CONSTVAL_A_})) cell (.A(B), .Y(Y));
endmodule
"""
TABLE = "\\$lut #(.WIDTH({size}), .LUT({init})) cell (.A({{{pins}}}), .Y({output}));"


def luts(cells: tuple[str, ...]) -> str:
    """Verilog that makes the LUTs of a family tables: yosys makes a module for each of their contents."""
    return models(cells, TABLE)
