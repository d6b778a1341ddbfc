"""Cortex-M4: Arm DDI 0439D, section 3.3 (instruction summary, load and store timings).

Loads, stores and branches as on the Cortex-M3; every multiplication takes one cycle. P, the pipeline
refill, is 1 to 3 there, 2 or 3 here as on the Cortex-M3. UDIV takes 2 to 12 cycles, counted as 12.
"""

from dataclasses import replace

from edgeternary.run._emulator.timing.m3 import M3
from edgeternary.run._emulator.timing.model import Cost

MULTIPLICATIONS = ("multiply", "multiply_accumulate", "multiply_long", "multiply_accumulate_long")

M4 = replace(M3, core="cortex-m4", error=0.05, costs={**M3.costs, **dict.fromkeys(MULTIPLICATIONS, Cost(1))})
