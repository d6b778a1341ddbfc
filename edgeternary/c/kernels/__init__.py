"""All kernels: each module of this folder defines one, called KERNEL."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from edgeternary.c.kernel import Conversion, Kernel


@cache
def kernels() -> tuple[Kernel, ...]:
    """Every kernel, in alphabetical order of its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{name}").KERNEL for name in names)


def conversions() -> tuple[Conversion, ...]:
    """The kernels that move a value from one layout to another."""
    return tuple(kernel for kernel in kernels() if isinstance(kernel, Conversion))
