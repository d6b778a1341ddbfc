"""Tables of the RTL and of a netlist as cells of their own: as multiplexers they take yosys minutes.

Both texts are Verilog for yosys's `techmap`, and make cells $lut.
"""

from __future__ import annotations

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
LUT = """module {cell}(input {inputs}, output {output});
  parameter [{last}:0] {init} = 0;
  \\$lut #(.WIDTH({size}), .LUT({init})) cell (.A({{{pins}}}), .Y({output}));
endmodule
"""
FOUR = ("A", "B", "C", "D")
SIX = tuple(f"I{k}" for k in range(6))
LUTS: dict[
    str, list[tuple[str, str, tuple[str, ...], str]]
] = {  # by the folder of yosys's models: cells, their parameter, inputs and output
    "ice40": [("SB_LUT4", "LUT_INIT", SIX[:4], "O")],
    "ecp5": [("LUT4", "INIT", FOUR, "Z")],
    "gowin": [(f"LUT{k}", "INIT", SIX[:k], "F") for k in range(1, 5)],
    "xilinx": [(f"LUT{k}", "INIT", SIX[:k], "O") for k in range(1, 7)],
}


def luts(cells: tuple[str, ...]) -> str:
    """Verilog that makes the LUTs of a family tables: yosys makes a module for each of their contents."""
    return "\n".join(
        LUT.format(
            cell=cell,
            init=init,
            output=output,
            inputs=", ".join(pins),
            pins=", ".join(reversed(pins)),
            size=len(pins),
            last=(1 << len(pins)) - 1,
        )
        for cell, init, pins, output in LUTS.get(cells[0].split("/")[0], ())
    )
