"""The timing tables, against loops whose cycles are counted by hand from the manuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from edgeternary.run._bench import BenchModel
from edgeternary.run._emulator.count import Counter
from edgeternary.run._emulator.image import link
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count
from edgeternary.run._emulator.timing import TABLES, Cost, Timing, for_core
from tests.need import need
from tests.run import net

pytestmark = pytest.mark.emulator
HEAD = """#include "net.h"
void net_reset(net_t *model) { model->state[0] = 0; }
__asm(".syntax unified\\n.thumb\\n.section .text.net_run, \\"ax\\", %progbits\\n.balign 4\\n"
      ".global net_run\\n.type net_run, %function\\n.thumb_func\\nnet_run:\\n"
"""
M0, M3, M4 = "cortex-m0plus", "cortex-m3", "cortex-m4"

# Code, instructions, and cycles by core. r1 points at the input, r2 at the output.
LOOP = (  # a block that is its own successor, ten times
    """movs r3, #10      @ 1
       movs r0, #0       @ 1
    1: ldrb r2, [r1]     @ 10 x 2
       adds r0, r0, r2   @ 10 x 1
       adds r1, #1       @ 10 x 1
       subs r3, #1       @ 10 x 1; the next address does not come from the instruction right before
       bne 1b            @ taken 9 x (2; M3, M4: 3), not taken 1
       bx lr             @ 2; M3, M4: 3""",
    2 + 50 + 1,
    {M0: 2 + 50 + 9 * 2 + 1 + 2, M3: 2 + 50 + 9 * 3 + 1 + 3, M4: 2 + 50 + 9 * 3 + 1 + 3},
)
MEMORY = (
    """push {r4, r5}     @ 3
       ldr r4, [r1]      @ 2
       ldr r5, [r1, #4]  @ 2; M3, M4: 1, independent and right after a load
       adds r1, #8       @ 1
       ldr r0, [r1]      @ 2; M3, M4: 3, its address was computed right before
       muls r0, r4, r0   @ 1
       str r0, [r2]      @ 2; M3, M4: 1, immediate offset
       movs r3, #4       @ 1
       str r5, [r2, r3]  @ 2; M3, M4: 3, register offset from the instruction right before
       nop               @ 1
       str r5, [r2, r3]  @ 2; M3, M4: 2
       ldr r4, [r1]      @ 2
       str r5, [r2, r3]  @ 2; M3, M4: 1, right after a load
       ldmia r1!, {r3, r4, r5}  @ 4
       pop {r4, r5}      @ 3
       bx lr             @ 2; M3, M4: 3""",
    16,
    {
        M0: 3 + 2 + 2 + 1 + 2 + 1 + 2 + 1 + 2 + 1 + 2 + 2 + 2 + 4 + 3 + 2,
        M3: 3 + 2 + 1 + 1 + 3 + 1 + 1 + 1 + 3 + 1 + 2 + 2 + 1 + 4 + 3 + 3,
        M4: 3 + 2 + 1 + 1 + 3 + 1 + 1 + 1 + 3 + 1 + 2 + 2 + 1 + 4 + 3 + 3,
    },
)
CALLS = (
    """push {r4, lr}     @ 3
       bl 2f             @ 3
       ldr r3, =2f + 1   @ 2
       blx r3            @ 2; M3, M4: 3
       b 3f              @ 2; M3, M4: 3
    2: bx lr             @ twice 2; M3, M4: 3
       .ltorg
    3: pop {r4, pc}      @ 4; M3, M4: 5""",
    8,
    {M0: 3 + 3 + 2 + 2 + 2 + 2 * 2 + 4, M3: 3 + 3 + 2 + 3 + 3 + 2 * 3 + 5, M4: 3 + 3 + 2 + 3 + 3 + 2 * 3 + 5},
)
ARMV7M = (
    """movs r0, #6           @ 1
       mla r0, r0, r0, r0    @ M3: 2, M4: 1
       umull r0, r3, r0, r0  @ M3: 5, M4: 1
       umlal r0, r3, r0, r0  @ M3: 7, M4: 1
       udiv r0, r0, r0       @ 12
       ldrd r0, r3, [r1]     @ 3
       strd r0, r3, [r2]     @ 3
       movs r0, #2           @ 1
    1: cbz r0, 2f            @ not taken 1, twice; taken 3
       subs r0, #1           @ 1, twice
       b 1b                  @ 3, twice
    2: movs r0, #0           @ 1
       tbb [pc, r0]          @ 5, its address was computed right before
    3: .byte 1, 0
       str lr, [sp, #-4]!    @ 1
       ldr pc, [sp], #4      @ 4""",
    8 + 3 + 2 + 2 + 4,
    {
        M3: 1 + 2 + 5 + 7 + 12 + 3 + 3 + 1 + 2 + 3 + 2 + 6 + 1 + 5 + 1 + 4,
        M4: 1 + 1 + 1 + 1 + 12 + 3 + 3 + 1 + 2 + 3 + 2 + 6 + 1 + 5 + 1 + 4,
    },
)
CODES = {"loop": LOOP, "memory": MEMORY, "calls": CALLS, "armv7m": ARMV7M}
CASES = [(name, core) for name, (_, _, cycles) in CODES.items() for core in cycles]


def run(code: str, core: str, timing: Timing) -> Count:
    need("zig", "unicorn", "capstone")
    lines = "".join(f'      "{line.split("@")[0].strip()}\\n"\n' for line in code.splitlines())
    text = f'{HEAD}{lines}      ".size net_run, .-net_run\\n");\n'
    header = (net.FIXTURES / "net.h").read_text()
    image = link(BenchModel("net", {"net.c": text, "net.h": header}), core)
    machine = Machine(image.elf, core, image.regions)
    counter = Counter(machine, {}, image.elf.address("net_run"), timing)
    machine.call(
        image.elf.address("net_run"), *(image.elf.address(f"bench_{n}") for n in ("model", "input", "output"))
    )
    counter.returned()
    (count,) = counter.layers().values()
    return count


def table(core: str) -> Timing:
    timing, how = for_core(core)
    assert timing is not None and how == "modelled, zero wait states"
    return timing


@pytest.mark.parametrize(("name", "core"), CASES)
def test_by_hand(name: str, core: str) -> None:
    code, instructions, cycles = CODES[name]
    assert run(code, core, table(core)) == Count(instructions, cycles[core])


@pytest.mark.parametrize("core", TABLES)
def test_every_wrong_entry_is_noticed(core: str) -> None:
    """A seeded fault in each entry of the table, and in its rules, changes a count made by hand."""
    right = table(core)
    faulty: dict[str, Timing] = {}
    for kind, cost in right.costs.items():
        if kind in ("barrier", "system"):
            continue
        changes: list[Mapping[str, int]] = [{"base": cost.base + 1}]
        changes += [{"each": cost.each + 1}] if cost.each else []
        changes += [{"taken": cost.taken + 1}] if cost.taken is not None else []
        for change in changes:
            costs = {**right.costs, kind: replace(cost, **change)}
            faulty[f"{kind} {change}"] = replace(right, costs=costs)
    if right.overlap:
        faulty["overlap"] = replace(right, overlap=0)
        faulty["stall"] = replace(right, address_stall=0)
    unnoticed = dict(faulty)
    for code, _, cycles in CODES.values():
        for name, timing in list(unnoticed.items()):
            if core in cycles and run(code, core, timing).cycles != cycles[core]:
                del unnoticed[name]
    assert not unnoticed and len(faulty) > 15


def test_a_jump_that_no_instruction_explains_is_refused() -> None:
    right = table(M4)
    wrong = replace(right, costs={**right.costs, "branch": Cost(1)})
    with pytest.raises(Exception, match="cannot be trusted"):
        run(LOOP[0], M4, wrong)


@pytest.mark.parametrize("core", ("cortex-m7", "cortex-m33"))
def test_no_table_no_cycles(core: str) -> None:
    timing, why = for_core(core)
    assert timing is None and why.startswith("no timing model")
