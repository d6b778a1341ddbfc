/* What the pin buffers and reset cells of a board's top do, for its simulation. Every other cell of a top is plain Verilog.
 *
 * iCE40: Lattice FPGA-TN-02026, "iCE40 Technology Library" (SB_IO, SB_GB_IO; PIN_TYPE[5:2] other than 0 is an output).
 * ECP5: Lattice "FPGA Libraries Reference Guide" (IB, OBZ, FD1S3AX, SGSR: no flip-flop here is left without an initial value).
 * Gowin: SUG283 "Gowin primitives" (IBUF, TBUF). A pin that nobody drives is pulled up. */

module SB_IO(inout PACKAGE_PIN, input OUTPUT_ENABLE, input D_OUT_0, output D_IN_0);
  parameter [5:0] PIN_TYPE = 6'b000000;
  parameter IO_STANDARD = "SB_LVCMOS";
  parameter [0:0] PULLUP = 1'b0;
  generate
    if (PIN_TYPE[5:2] != 0) assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'b1;
    else assign D_IN_0 = PACKAGE_PIN;
  endgenerate
endmodule

module SB_GB_IO(input PACKAGE_PIN, output GLOBAL_BUFFER_OUTPUT);
  parameter [5:0] PIN_TYPE = 6'b000001;
  parameter IO_STANDARD = "SB_LVCMOS";
  parameter [0:0] PULLUP = 1'b0;
  assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
endmodule

module IB(input I, output O);
  assign O = I;
endmodule

module OBZ(input I, input T, output O);
  assign O = T ? 1'b1 : I;
endmodule

module FD1S3AX(input CK, input D, output reg Q);
  parameter GSR = "ENABLED";
  initial Q = 1'b0;
  always @(posedge CK) Q <= D;
endmodule

module SGSR(input CLK, input GSR);
endmodule

module IBUF(input I, output O);
  assign O = I;
endmodule

module TBUF(input I, input OEN, output O);
  assign O = OEN ? 1'b1 : I;
endmodule
