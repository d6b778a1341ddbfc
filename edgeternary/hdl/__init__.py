"""FPGA back end: an integer graph becomes a pipeline of stream parts.

`top.build` makes the Amaranth design, `emit` its RTLIL and Verilog, `build` its synthesis figures.
"""

from edgeternary.hdl.emit import rtlil, verilog

__all__ = ["rtlil", "verilog"]
