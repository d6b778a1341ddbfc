"""Cortex-M3: Arm DDI 0337I, section 3.3 (instruction summary, load and store timings).

P, the pipeline refill, is 1 to 3 there: 2 here, and 3 where the instruction at the target has 32 bits and
crosses a word, so that a second fetch is needed. An IT after an instruction of 16 bits is folded into it
(ibid.). A store runs beside the end of a load before it, a load waits a cycle for a store before it, and a
load of 32 bits that crosses a word does not follow another load at once: measured on STM32F103 and STM32F407
by J. Oleksiewicz (github.com/jnk0le/random, "pipeline cycle test"). Data-dependent times are the longest:
UDIV 2 to 12, UMULL 3 to 5, UMLAL 4 to 7.
"""

from edgeternary.run._emulator.timing.model import Cost, Timing

P = 2

M3 = Timing(
    core="cortex-m3",
    error=0.08,
    costs={
        "alu": Cost(1),
        "multiply": Cost(1),
        "multiply_accumulate": Cost(2),
        "multiply_long": Cost(5),
        "multiply_accumulate_long": Cost(7),
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
    store_load=1,
    target=1,
    folded=1,
)
