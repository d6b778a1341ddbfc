"""All kernels: each module of this folder, and of `conversions/`, defines one, called KERNEL."""

import importlib
import pkgutil
from functools import cache

from edgeternary.c.kernel import Conversion, Kernel


@cache
def kernels() -> tuple[Kernel, ...]:
    """Every kernel, in alphabetical order of its name."""
    found = pkgutil.walk_packages(__path__, f"{__name__}.")
    modules = sorted((m.name for m in found if not m.ispkg), key=lambda name: name.rpartition(".")[2])
    return tuple(importlib.import_module(name).KERNEL for name in modules)


def conversions() -> tuple[Conversion, ...]:
    """The kernels that move a value from one layout to another."""
    return tuple(kernel for kernel in kernels() if isinstance(kernel, Conversion))
