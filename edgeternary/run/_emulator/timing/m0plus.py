"""Cortex-M0+: Arm DDI 0484C, section 3.3; two pipeline stages, single-cycle multiplier."""

from edgeternary.run._emulator.timing.model import Cost, Timing

M0PLUS = Timing(
    core="cortex-m0plus",
    costs={
        "alu": Cost(1),
        "multiply": Cost(1),
        "load": Cost(2),
        "store": Cost(2),
        "store_indexed": Cost(2),
        "load_multiple": Cost(1, each=1),
        "store_multiple": Cost(1, each=1),
        "load_multiple_pc": Cost(1, each=1, taken=1),  # POP {n registers, pc}: 3 + n
        "branch": Cost(1, taken=1),
        "branch_register": Cost(1, taken=1),
        "call": Cost(1, taken=2),
        "call_register": Cost(1, taken=1),
        "barrier": Cost(3),
        "system": Cost(3),
    },
)
