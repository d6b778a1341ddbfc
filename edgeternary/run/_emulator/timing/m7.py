"""Cortex-M7. Its manual (Arm DDI 0489) gives no timings; these were measured on an STM32H743 by J.
Oleksiewicz (github.com/jnk0le/random, "pipeline cycle test"). Two instructions are issued at once. An early
ALU adds, moves and shifts, and hands its result to the younger instruction of the same cycle; shifters and
addresses need their registers a cycle before the late ALU. Caches and the branch predictor are warm, memory
is tightly coupled, loads hit different banks; only the end of a loop is not predicted.
"""

from edgeternary.run._emulator.decode import Instruction
from edgeternary.run._emulator.timing.pipeline import JUMPS, MULTIPLY, SEVERAL, STORE, Pipeline, Result

PARTS = ("extend", "bits", "pack", "dsp")
SHIFTERS = ("shifted", "bits", "pack")
ALONE = (*SEVERAL, "load_double", "store_double")
DIVIDE = 12  # as the longest of the Cortex-M4; nothing was measured here
MISSED = 7  # 6 to 8, by how early the flags are known

EARLY = Result(late=0, early=1, adds=0, stored=0)
LATE = Result(late=1, early=2, adds=1, stored=0)
PRODUCT = Result(late=2, early=3, adds=1, stored=1)
LOADED = Result(late=1, early=2, adds=2, stored=0)


def lasts(this: Instruction) -> int:
    if this.kind in SEVERAL:
        return max((this.registers + 1) // 2, 1)
    return DIVIDE if this.kind == "divide" else 1


def pairs(older: Instruction, younger: Instruction) -> bool:
    if older.kind in ALONE or younger.kind in ALONE or (older.kind in JUMPS and older.kind != "branch"):
        return False
    if older.kind in MULTIPLY or older.kind in STORE:
        return younger.kind not in MULTIPLY and younger.kind not in STORE
    if older.unit in PARTS and younger.unit in PARTS:
        return False
    return not (older.unit in SHIFTERS and younger.unit in SHIFTERS)


def taken(branch: Instruction, younger: bool) -> int:
    return 0


M7 = Pipeline(
    core="cortex-m7",
    error=0.07,
    results={
        "late": LATE,
        "early": EARLY,
        **dict.fromkeys(("shifted", *PARTS), LATE),
        **dict.fromkeys(MULTIPLY, PRODUCT),
        **dict.fromkeys(("load", "load_double", "load_multiple"), LOADED),
    },
    lasts=lasts,
    pairs=pairs,
    taken=taken,
    missed=MISSED,
    shares=True,
)
