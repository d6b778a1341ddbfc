"""Constant tables as cells $lut before synthesis.

Verilog has a table as a shift of a constant, `16'd32971 >> {d, c, b, a}`. For each constant yosys makes a
module of its own and looks at all of them again to clean it, so that the time grows with the square of the
tables: more than an hour for 5,000. With the map below it makes the same LUTs, but for a few.
"""

import re

FILE = "tables.v"
MANY = 500  # from which a design is worth the passes
SHIFTS = re.compile(r"= \d+'[dh][0-9a-f]+ >> \{|^ *cell \$(?:shr|shift) ", re.MULTILINE)  # Verilog, RTLIL

MAP = """(* techmap_celltype = "$shr $shift" *)
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


def many(design: str) -> bool:
    """Whether RTLIL or Verilog has at least MANY tables, which then become cells before synthesis."""
    return sum(1 for _ in SHIFTS.finditer(design)) >= MANY


def passes(top: str) -> tuple[str, ...]:
    """What yosys does between reading and synthesis; the map is in FILE. Only bit 0 of a table is read."""
    narrowed = ("opt_expr", "opt_clean", "wreduce t:$shr t:$shift", "opt_clean")
    return (f"hierarchy -top {top}", "proc", *narrowed, f"techmap -map {FILE}")
