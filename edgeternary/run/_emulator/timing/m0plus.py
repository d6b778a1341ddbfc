"""Cortex-M0+: Arm DDI 0484C, section 3.3; two pipeline stages, single-cycle multiplier.

M0 has the same table but for its third stage, which branches fill: Arm DDI 0432C, section 3.3. No image is
built for it; programs that were measured on it show how far the rest of the table is right.
"""

from dataclasses import replace

from edgeternary.run._emulator.timing.model import Cost, Timing

M0PLUS = Timing(
    core="cortex-m0plus",
    error=0.02,
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

M0 = replace(
    M0PLUS,
    core="cortex-m0",
    costs={
        **M0PLUS.costs,
        "branch": Cost(1, taken=2),
        "branch_register": Cost(1, taken=2),
        "call": Cost(1, taken=3),
        "call_register": Cost(1, taken=2),
        "load_multiple_pc": Cost(1, each=1, taken=2),
    },
)
