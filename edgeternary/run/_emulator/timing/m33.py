"""Cortex-M33. Its manual (Arm 100230) gives no timings; these were measured on an RP2350 by J. Oleksiewicz
(github.com/jnk0le/random, "pipeline cycle test"): results of loads, products, shifted operands and DSP
instructions come a cycle later, MULS takes two cycles, and of two instructions of 16 bits the second one
costs nothing where it is a NOP or a branch; so does an IT.
"""

from edgeternary.run._emulator.decode import Instruction
from edgeternary.run._emulator.timing.pipeline import JUMPS, MULTIPLY, SEVERAL, Pipeline, Result

DIVIDE = 11  # the longest

PLAIN = Result(late=1, early=1, adds=1, stored=1)
SECOND = Result(late=2, early=2, adds=1, stored=1)


def lasts(this: Instruction) -> int:
    if this.kind in SEVERAL:
        return max(this.registers, 1)
    if this.kind in ("load_double", "store_double"):
        return 2
    if this.kind == "divide":
        return DIVIDE
    return 2 if this.kind == "multiply" and this.flags else 1


def pairs(older: Instruction, younger: Instruction) -> bool:
    if younger.unit == "it":
        return True
    short = older.size == younger.size == 2
    return short and (younger.unit == "nop" or younger.kind in JUMPS)


def taken(branch: Instruction, younger: bool) -> int:
    return 0 if younger else 1


M33 = Pipeline(
    core="cortex-m33",
    error=0.03,
    results={
        "late": PLAIN,
        "early": PLAIN,
        **dict.fromkeys(("shifted", "dsp", "pack", "load", "load_double", *MULTIPLY), SECOND),
    },
    lasts=lasts,
    pairs=pairs,
    taken=taken,
)
