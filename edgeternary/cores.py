"""The cores that C is generated, compiled and emulated for: one record each in cores.toml.

Kernels choose by the facts of a record, never by its name. To add a core, add its record: `like` names the
core whose measured figures hold until the kernels have figures of the new one.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeternary.errors import USAGE, EdgeTernaryError, nearest

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Core:
    """A processor core.

    name       "cortex-m4"
    like       the core whose figures hold where a table has none of this core; "" where every table has them

    native     this machine, for which its own compiler builds

    Instructions:
    isa        what inline assembly may use: "thumb1" (Armv6-M: eight registers, of two-operand instructions),
               "thumb2", or "" for none
    dsp        every such core has the DSP instructions (USAT16, SEL, PKHBT, SMLABB), and assembly uses them;
               false for a core whose vector registers do that work
    pairs      C may multiply pairs of 16-bit numbers (SMLAD); it asks the compiler whether the core has that
    vectors    it has the vector registers of Helium
    unaligned  single loads and stores may have addresses that are no multiple of their size

    Cycles that rank kernels before anything is compiled, from instruction counts of gcc -O2 code that
    `edgeternary bench --layer` repeats; executors measure the real ones:
    mac        one multiply-accumulate of a plain loop, weights unpacked bit by bit
    count      to fetch, combine and count one word (32 products) of bit planes
    touch      to load, change and store one element in a loop that looks at its place and its channel;
               plainer loops take a share of it
    add        one addition or subtraction of a loaded value in straight-line code

    Tools:
    gcc        value of arm-none-eabi-gcc's -mcpu
    float      value of arm-none-eabi-gcc's -mfloat-abi; vector registers need another than soft
    zig        value of zig's -mcpu; soft_float keeps the compiler off the floating-point registers
    unicorn    name of the CPU model, UC_CPU_ARM_<unicorn>; an M0 has the instructions of an M0+; "" where
               there is none: QEMU runs the core, on the emulated board with it
    """

    name: str
    like: str = ""
    native: bool = False
    isa: str = "thumb2"
    dsp: bool = False
    pairs: bool = False
    vectors: bool = False
    unaligned: bool = True
    mac: float
    count: float
    touch: float
    add: float
    gcc: str = ""
    float: str = "soft"
    zig: str = ""
    unicorn: str = ""

    @property
    def thumb1(self) -> bool:
        """It has 16-bit instructions only."""
        return self.isa == "thumb1"

    def figures(self, table: Mapping[str, T]) -> T:
        """The entry of this core in {name of a core: figures}, or of the core that it is like."""
        return table[self.name] if self.name in table else CORES[self.like].figures(table)


_RECORDS = tomllib.loads(Path(__file__).with_name("cores.toml").read_text(encoding="utf-8"))
CORES = {name: Core(name=name, **record) for name, record in _RECORDS.items()}
HOST = CORES["host"]
CORTEX_M = {name: core for name, core in CORES.items() if not core.native}


def full_name(name: str) -> str:
    """ "cortex-m4" of "m4", and "cortex-m0plus" of "m0+"; any other text as it is."""
    full = f"cortex-{name.replace('+', 'plus')}"
    return full if full in CORTEX_M else name


def core(name: str) -> Core:
    """The core called `name`, "host" included; "m4" means "cortex-m4".

    EdgeTernaryError (exit code 2) lists the known ones.
    """
    return _named(name, CORES)


def cortex_m(name: str) -> Core:
    """The core called `name` that compilers for a Cortex-M know; EdgeTernaryError lists the known ones."""
    return _named(name, CORTEX_M)


def _named(name: str, known: Mapping[str, Core]) -> Core:
    if full_name(name) in known:
        return known[full_name(name)]
    short = [one.removeprefix("cortex-") for one in known]
    raise EdgeTernaryError(
        f"unknown core {name[:40]!r}", f"known are {', '.join(known)}", nearest(name, [*short, *known]), USAGE
    )
