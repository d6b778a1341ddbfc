"""Verilog-2005 that a person can read: RTLIL as Amaranth writes it becomes modules that linters accept.

yosys's own writer gives every result a wire with a number for a name and leaves widths to the context; its
`-noattr` loses where memories lie.
"""
