"""What the cost estimates know about a core: cycles of the few things that kernels do often.

The figures come from instruction counts of gcc -O2 code on an emulated core; they rank kernels and fill
reports before anything is compiled. Measured cycles come from the executors.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeternary.errors import USAGE, EdgeTernaryError


@dataclass(frozen=True)
class Core:
    """A processor core.

    cpu    the compiler's name of it
    mac    cycles of one multiply-accumulate of a plain loop, weights unpacked bit by bit
    count  cycles to fetch, combine and count one word (32 products) of bit planes
    touch  cycles to load, change and store one element in a loop that looks at its place and its channel;
           plainer loops take a share of it, as counted (gcc -O2)
    add    cycles of one addition or subtraction of a loaded value in straight-line code
    vectors  it has the vector registers of Helium
    """

    name: str
    cpu: str
    mac: float
    count: float
    touch: float
    add: float
    vectors: bool = False


CORES = {
    core.name: core
    for core in (
        Core("host", "native", mac=4, count=8, touch=4, add=1),
        Core("cortex-m0plus", "cortex-m0plus", mac=17, count=21, touch=20, add=3),
        Core("cortex-m3", "cortex-m3", mac=13, count=14, touch=13, add=2),
        Core("cortex-m4", "cortex-m4", mac=13, count=14, touch=13, add=2),
        Core("cortex-m7", "cortex-m7", mac=8, count=9, touch=8, add=1.5),
        Core("cortex-m33", "cortex-m33", mac=12, count=13, touch=12, add=2),
        Core("cortex-m55", "cortex-m55", mac=6, count=8, touch=6, add=1.5, vectors=True),
    )
}


def core(name: str) -> Core:
    """The core called `name`; EdgeTernaryError for a name that is none."""
    if name not in CORES:
        raise EdgeTernaryError(
            f"unknown core {name[:40]!r}", f"known are {', '.join(CORES)}", "use one of these", USAGE
        )
    return CORES[name]
