"""Cortex-M4: Arm DDI 0439D, section 3.3 (instruction summary, load and store timings).

Loads, stores and branches as on the Cortex-M3; every multiplication takes one cycle. P, the pipeline
refill, is 1 to 3 there and 2 here. UDIV takes 2 to 12 cycles, counted as 12.
"""

from __future__ import annotations

from edgeternary.run._emulator.timing.model import Cost, Timing

P = 2

M4 = Timing(
    core="cortex-m4",
    costs={
        "alu": Cost(1),
        "multiply": Cost(1),
        "multiply_accumulate": Cost(1),
        "multiply_long": Cost(1),
        "multiply_accumulate_long": Cost(1),
        "divide": Cost(12),
        "load": Cost(2),
        "store": Cost(1),  # immediate offset: the data phase runs beside the next instruction
        "store_indexed": Cost(2),
        "load_double": Cost(3),
        "store_double": Cost(3),
        "load_multiple": Cost(1, each=1),
        "store_multiple": Cost(1, each=1),
        "load_multiple_pc": Cost(1, each=1, taken=P),
        "load_pc": Cost(2, taken=P),
        "branch": Cost(1, taken=P),
        "branch_register": Cost(1, taken=P),
        "call": Cost(1, taken=P),
        "call_register": Cost(1, taken=P),
        "table_branch": Cost(2, taken=P),
        "barrier": Cost(3),
        "system": Cost(2),
    },
    overlap=1,
    address_stall=1,
)
