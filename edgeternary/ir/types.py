"""Exact types of the values in an integer graph."""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from edgeternary.errors import EdgeTernaryError

INT32_LO, INT32_HI = -(2**31), 2**31 - 1
MAX_BITS = 16


@dataclass(frozen=True)
class Type:
    """A set of integers and how many bit planes hold one of them.

    name    bipolar {-1,+1}, binary {0,1}, ternary {-1,0,+1}, intN and uintN (N in 2..16), int32
    lo, hi  the smallest and the largest member
    planes  bit planes of the packed form (see `edgeternary.ir.encoding`)
    """

    name: str
    lo: int
    hi: int
    planes: int

    @property
    def bits(self) -> int:
        """Bits of one element in a packed word or on a stream; equal to `planes`."""
        return self.planes

    @property
    def signed(self) -> bool:
        return self.lo < 0

    @property
    def dtype(self) -> np.dtype[np.signedinteger | np.unsignedinteger]:
        """The natural storage: the narrowest numpy (and C) integer that holds every member."""
        for bits in (8, 16):
            if self.lo >= 0 and self.hi < 2**bits:
                return np.dtype(f"uint{bits}")
            if self.lo < 0 and self.lo >= -(2 ** (bits - 1)) and self.hi < 2 ** (bits - 1):
                return np.dtype(f"int{bits}")
        return np.dtype("int32")

    @property
    def ctype(self) -> str:
        return f"{self.dtype.name}_t"

    def contains(self, values: np.ndarray) -> bool:
        """Whether every element of the integer array `values` is a member."""
        if values.size == 0:
            return True
        inside = int(values.min()) >= self.lo and int(values.max()) <= self.hi
        return inside and (self.name != "bipolar" or bool(np.all(values != 0)))

    def __str__(self) -> str:
        return self.name


@cache
def parse(name: str) -> Type:
    """The type called `name`; EdgeTernaryError for a name that is none."""
    fixed = {
        "bipolar": Type("bipolar", -1, 1, 1),
        "binary": Type("binary", 0, 1, 1),
        "ternary": Type("ternary", -1, 1, 2),
        "int32": Type("int32", INT32_LO, INT32_HI, 32),
    }
    if name in fixed:
        return fixed[name]
    match = re.fullmatch(r"(u?)int([1-9][0-9]?)", name)
    if match and 2 <= int(match[2]) <= MAX_BITS:
        bits = int(match[2])
        if match[1]:
            return Type(name, 0, 2**bits - 1, bits)
        return Type(name, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, bits)
    raise EdgeTernaryError(
        f"unknown type {name[:40]!r}",
        "a value is bipolar, binary, ternary, intN or uintN with N in 2..16, or int32",
        "use one of these names",
    )


def smallest(lo: int, hi: int) -> Type:
    """The narrowest type whose members include all of [lo, hi]; EdgeTernaryError beyond int32."""
    if lo >= 0 and hi <= 1:
        return parse("binary")
    if lo >= -1 and hi <= 1:
        return parse("ternary")
    for bits in range(2, MAX_BITS + 1):
        for name in (f"uint{bits}", f"int{bits}"):
            candidate = parse(name)
            if candidate.lo <= lo and hi <= candidate.hi:
                return candidate
    if lo < INT32_LO or hi > INT32_HI:
        raise EdgeTernaryError(
            f"the interval [{lo}, {hi}] does not fit int32",
            "accumulators are 32 bits wide on every back end",
            "use fewer inputs, smaller weights or narrower activations in this layer",
        )
    return parse("int32")
