"""Flags of simulators' compilers in tests, and shapes that Amaranth computes once.

A simulator runs a few frames here, and optimising it takes longer than all of them: without it the time is
half or less. What is called as a command, and the workers of the demo, have the flags that ship.

Amaranth asks a value for its shape many times, and each time its operands for theirs. Values do not change,
so the first answer is kept: a test that simulates hardware takes a tenth less.
"""

from functools import cache
from typing import Any

from edgeternary.run import _cxx, _verilated
from edgeternary.toolchains import find

CXX = ("-Xclang", "-O0")  # -O1 stays before it, so that zig takes the libraries that it has built
VERILATED = ("-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0")
SHIPPED = {_cxx: _cxx.FLAGS, _verilated: _verilated.FLAGS}


def install() -> None:
    """Simulators are built in the time that they take to compile, and Amaranth keeps shapes."""
    if find("amaranth").found:
        from amaranth.hdl import _ast

        for kind in (_ast.Operator, _ast.SwitchValue, _ast.Concat):
            kind.shape = _kept(kind)
    _cxx.FLAGS = (*SHIPPED[_cxx], *CXX)
    _verilated.FLAGS = (*SHIPPED[_verilated], *VERILATED)


@cache
def _kept(kind: Any) -> Any:
    """The method `shape` of a class, whose first answer is kept."""
    real = kind.shape

    def shape(value: Any) -> Any:
        if not hasattr(value, "_kept_shape"):
            value._kept_shape = real(value)
        return value._kept_shape

    return shape
