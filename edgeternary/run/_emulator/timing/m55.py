"""Cortex-M55. Arm's optimisation guide (102692) and the model of the assembler SLOTHY
(github.com/slothy-optimizer) say how vectors run: each takes two cycles of one of three units (memory;
additions, logic and shifts; products), and the next one starts a cycle later if it needs another unit,
though it needs the result, of which the first half is there; a product is ready a cycle later. Other
instructions are as on the Cortex-M33, but for loads, whose words can be used in the next cycle. LE, the end
of a low-overhead loop, jumps back in no time.

A gather or scatter takes a cycle for two elements: no published measurement holds for that.
"""

from edgeternary.run._emulator.decode import Instruction
from edgeternary.run._emulator.timing import m33
from edgeternary.run._emulator.timing.m33 import PLAIN, SECOND, pairs
from edgeternary.run._emulator.timing.pipeline import MULTIPLY, Pipeline, Result

UNITS = {
    "vector_load": "memory", "vector_store": "memory", "gather": "memory", "scatter": "memory",
    "vector": "vector", "vector_multiply": "product",
}  # fmt: skip
BEATS = 2


def lasts(this: Instruction) -> int:
    if this.kind in ("load_double", "store_double"):
        return 1
    return m33.lasts(this)


def occupies(this: Instruction) -> tuple[str, int]:
    """The unit of a vector instruction, and for how long; ("", 0) for others."""
    if this.kind not in UNITS:
        return "", 0
    return UNITS[this.kind], max(BEATS, this.registers // 2)


def taken(branch: Instruction, younger: bool) -> int:
    return 0 if branch.kind == "loop" else m33.taken(branch, younger)


M55 = Pipeline(
    core="cortex-m55",
    error=0.24,
    results={
        "late": PLAIN,
        "early": PLAIN,
        **dict.fromkeys(("load", "vector", "vector_load", "gather"), PLAIN),
        **dict.fromkeys(("shifted", "dsp", "pack", "load_double", *MULTIPLY), SECOND),
        "vector_multiply": Result(late=2, early=2, adds=2, stored=1),
    },
    lasts=lasts,
    pairs=pairs,
    taken=taken,
    occupies=occupies,
)
