"""All kernels: each module of this folder, and of `conversions/`, defines one."""

import sys
from functools import cache

from edgeternary.c.kernel import Conversion, Kernel
from edgeternary.described import found


@cache
def kernels() -> tuple[Kernel, ...]:
    """Every kernel, in alphabetical order of its name."""
    return found(sys.modules[__name__], Kernel)


def converters() -> tuple[Conversion, ...]:
    """The kernels that move a value from one layout to another."""
    return tuple(kernel for kernel in kernels() if isinstance(kernel, Conversion))
