"""Flags of simulators' compilers in tests.

A simulator runs a few frames here, and optimising it takes longer than all of them: without it the time is
half or less. What is called as a command, and the workers of the demo, have the flags that ship.
"""

from edgeternary.run import _cxx, _verilated

CXX = ("-Xclang", "-O0")  # -O1 stays before it, so that zig takes the libraries that it has built
VERILATED = ("-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0")
SHIPPED = {_cxx: _cxx.FLAGS, _verilated: _verilated.FLAGS}


def install() -> None:
    """Simulators are built in the time that they take to compile."""
    _cxx.FLAGS = (*SHIPPED[_cxx], *CXX)
    _verilated.FLAGS = (*SHIPPED[_verilated], *VERILATED)
