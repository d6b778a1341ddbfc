"""FPGA back end: an integer graph becomes a pipeline of stream parts.

`constraints` say what is asked for, `plan` chooses, `top.build` makes the Amaranth design, `emit` its RTLIL
and Verilog, `build` its synthesis figures. Only `constraints` and `devices` can be imported without Amaranth.
"""
