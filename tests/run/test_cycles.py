"""The timing tables, against loops whose cycles are counted by hand from the manuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._bench import BenchModel
from edgeternary.run._emulator.count import Counter
from edgeternary.run._emulator.image import link
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count
from edgeternary.run._emulator.timing import Cost, Model, Timing, for_core, margin
from edgeternary.run._emulator.timing.pipeline import Pipeline, Result, State
from edgeternary.run._emulator.timing.waits import Fetch, fetch
from edgeternary.run._emulator.vectors import SCALARS, VECTORS, vector
from tests.need import need
from tests.run import net

pytestmark = pytest.mark.emulator
HEAD = """#include "net.h"
void net_reset(net_t *model) { model->state[0] = 0; }
__asm(".syntax unified\\n.thumb\\n.section .text.net_run, \\"ax\\", %progbits\\n.balign 4\\n"
      ".global net_run\\n.type net_run, %function\\n.thumb_func\\nnet_run:\\n"
"""
M0, M3, M4, M7, M33 = "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"

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
       ldr r4, [r1]      @ 2; M3, M4: 3, right after a store
       str r5, [r2, r3]  @ 2; M3, M4: 1, right after a load
       ldmia r1!, {r3, r4, r5}  @ 4; M3, M4: 5, right after a store
       ldr r0, [r1]      @ 2
       str r0, [r2]      @ 2; M3, M4: 0, beside the end of the load
       pop {r4, r5}      @ 3; M3, M4: 4, right after a store
       bx lr             @ 2; M3, M4: 3""",
    18,
    {
        M0: 3 + 2 + 2 + 1 + 2 + 1 + 2 + 1 + 2 + 1 + 2 + 2 + 2 + 4 + 2 + 2 + 3 + 2,
        M3: 3 + 2 + 1 + 1 + 3 + 1 + 1 + 1 + 3 + 1 + 2 + 3 + 1 + 5 + 2 + 0 + 4 + 3,
        M4: 3 + 2 + 1 + 1 + 3 + 1 + 1 + 1 + 3 + 1 + 2 + 3 + 1 + 5 + 2 + 0 + 4 + 3,
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
       str lr, [sp, #-4]!    @ 2, the branch went to the middle of a word
       ldr pc, [sp], #4      @ 4""",
    8 + 3 + 2 + 2 + 4,
    {
        M3: 1 + 2 + 5 + 7 + 12 + 3 + 3 + 1 + 2 + 3 + 2 + 6 + 1 + 5 + 2 + 4,
        M4: 1 + 1 + 1 + 1 + 12 + 3 + 3 + 1 + 2 + 3 + 2 + 6 + 1 + 5 + 2 + 4,
    },
)
FETCH = (
    """movs r0, #2           @ 1
       cmp r0, #2            @ 1
       it eq                 @ 0, folded into an instruction of 16 bits
       moveq r3, #1          @ 1
       add.w r3, r3, #1      @ 1
       it eq                 @ 1
       addeq r3, #1          @ 1
       nop                   @ 1, so that the next one crosses a word
    1: subs.w r0, r0, #1     @ 1, twice
       bne 1b                @ taken 4, not taken 1
       ldr r3, [r1]          @ 2
       ldr.w r0, [r1, #4]    @ 2, it crosses a word
       bx lr                 @ 3""",
    8 + 4 + 3,
    dict.fromkeys((M3, M4), 1 + 1 + 0 + 1 + 1 + 1 + 1 + 1 + 2 + 4 + 1 + 2 + 2 + 3),
)
RESULTS = (  # what waits for what, one instruction at a time; the M7 issues two of them at once
    """movs r3, #4           @ M33: 1; M7: 1, with the next one
       ldr r0, [r1]          @ M33: 1
       adds r0, r0, r3       @ M33: 2, a load takes two; M7: 1, with the next one
       adds r3, #1           @ M33: 1
       lsls r3, r3, #1       @ M33: 1; M7: 1, with the next one, though that needs its result
       add.w r3, r3, r0, lsl #2  @ M33: 1
       adds r3, #1           @ M33: 2, what was shifted takes two; M7: 1, with the next one
       muls r3, r0, r3       @ M33: 2, it sets flags
       str r3, [r2]          @ M33: 1; M7: 1, with the next one
       nop                   @ M33: 0
       bx lr                 @ M33: 2, not the second of two; M7: 1""",
    11,
    {M33: 1 + 1 + 2 + 1 + 1 + 1 + 2 + 2 + 1 + 0 + 2, M7: 1 + 1 + 1 + 1 + 1 + 1},
)
CODES = {"loop": LOOP, "memory": MEMORY, "calls": CALLS, "armv7m": ARMV7M, "fetch": FETCH, "results": RESULTS}
CASES = [(name, core) for name, (_, _, cycles) in CODES.items() for core in cycles]


def run(code: str, core: str, timing: Model, fetch: Fetch | None = None) -> Count:
    need("zig", "unicorn", "capstone")
    lines = "".join(f'      "{line.split("@")[0].strip()}\\n"\n' for line in code.splitlines())
    text = f'{HEAD}{lines}      ".size net_run, .-net_run\\n");\n'
    header = (net.FIXTURES / "net.h").read_text()
    image = link(BenchModel("net", {"net.c": text, "net.h": header}), core)
    machine = Machine(image.elf, core, image.regions)
    counter = Counter(machine, {}, image.elf.address("net_run"), timing, fetch)
    machine.call(
        image.elf.address("net_run"), *(image.elf.address(f"bench_{n}") for n in ("model", "input", "output"))
    )
    counter.returned()
    (count,) = counter.layers().values()
    return count


def table(core: str) -> Model:
    timing, how = for_core(core)
    assert timing is not None and how == f"modelled, zero wait states, {margin(core)}"
    return timing


@pytest.mark.parametrize(("name", "core"), CASES)
def test_by_hand(name: str, core: str) -> None:
    code, instructions, cycles = CODES[name]
    assert run(code, core, table(core)) == Count(instructions, cycles[core])


@pytest.mark.parametrize("core", (M0, M3, M4))
def test_every_wrong_entry_is_noticed(core: str) -> None:
    """A seeded fault in each entry of the table, and in its rules, changes a count made by hand."""
    right = table(core)
    assert isinstance(right, Timing)
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
    rules = ("overlap", "address_stall", "store_load", "target", "folded")
    faulty |= {rule: replace(right, **{rule: 0}) for rule in rules if getattr(right, rule)}
    unnoticed = dict(faulty)
    for code, _, cycles in CODES.values():
        for name, timing in list(unnoticed.items()):
            if core in cycles and run(code, core, timing).cycles != cycles[core]:
                del unnoticed[name]
    assert not unnoticed and len(faulty) > 15


@pytest.mark.parametrize("core", (M7, M33))
def test_every_late_result_is_noticed(core: str) -> None:
    right = table(core)
    assert isinstance(right, Pipeline)
    code, _, cycles = RESULTS
    for kind in ("early", "shifted", "multiply", "load"):
        result = right.results[kind]
        later = Result(result.late + 2, result.early + 2, result.adds + 2, result.stored + 2)
        wrong = replace(right, results={**right.results, kind: later})
        assert run(code, core, wrong).cycles != cycles[core], kind


def test_the_end_of_a_loop_is_not_predicted() -> None:
    """Ten turns of a loop on an M7: three pairs of instructions a turn at most, and one misprediction."""
    right = table(M7)
    assert isinstance(right, Pipeline)
    cycles = [run(LOOP[0], M7, replace(right, missed=missed)).cycles for missed in (0, 7)]
    assert 7 <= cycles[1] - cycles[0] <= 8 and 20 <= cycles[0] <= 45


@pytest.mark.parametrize(
    ("cache", "waits"),
    [
        (0, 2 + 1 + 0 + 1 + 9 * (2 + 0 + 1)),  # four words, the first and each jump back wait for all of 2
        (8, 2 + 1 + 0 + 1 + 9 * (2 + 0 + 1)),  # the loop does not fit
        (16, 4 * 2),  # each word once
    ],
)
def test_flash_with_wait_states(cache: int, waits: int) -> None:
    """Two wait states for a word of two instructions: a prefetcher hides what those take beyond one cycle."""
    count = run(LOOP[0], M4, table(M4), Fetch(2, 4, cache))
    assert count == Count(LOOP[1], LOOP[2][M4] + waits, LOOP[2][M4] + (4 + 9 * 3) * 2)


def test_flash_without_wait_states_is_not_waited_for() -> None:
    for core in (M4, M7):
        at_once = run(LOOP[0], core, table(core))
        assert at_once.cycles is not None
        for line in (4, 16):
            count = run(LOOP[0], core, table(core), Fetch(0, line))
            assert count == Count(at_once.instructions, at_once.cycles, at_once.cycles)


def test_wait_states_of_boards_and_users() -> None:
    assert fetch("", "") is None and fetch("", "3") == Fetch(3, 4) and fetch("", "5:16") == Fetch(5, 16)
    assert fetch("nucleo_f446re", "") == Fetch(5, 16, 1024) and fetch("nucleo_f030r8", "") == Fetch(1, 4)
    assert fetch("pico", "") == Fetch(15, 4, 16384)  # a quarter of a byte a cycle
    for board, text in (("pico", "1"), ("", "x"), ("", "1:3"), ("", "-1"), ("", "2:")):
        with pytest.raises(EdgeTernaryError, match="wait"):
            fetch(board, text)


M55 = "cortex-m55"
# Bytes, kind, registers read and written (q: vectors), and the cycle in which it starts.
HELIUM = (
    ("vldrw.u32 q0, [r0], #16", "b0ec041f", "vector_load", {"r0"}, {"q0", "r0"}, 0),
    ("vldrw.u32 q1, [r1], #16", "b1ec043f", "vector_load", {"r1"}, {"q1", "r1"}, 2),  # the unit is busy
    ("vadd.i32 q2, q0, q1", "20ef4248", "vector", {"q0", "q1"}, {"q2"}, 3),  # the first half is there
    ("vmul.i32 q3, q2, q1", "24ef5269", "vector_multiply", {"q2", "q1"}, {"q3"}, 4),
    ("vstrw.32 q3, [r2]", "82ed007f", "vector_store", {"q3", "r2"}, set(), 5),
    ("vmul.i32 q4, q3, q1", "26ef5289", "vector_multiply", {"q3", "q1"}, {"q4"}, 6),  # a product takes two
    ("vldrb.u32 q5, [r0, q2]", "90fc04af", "gather", {"r0", "q2"}, {"q5"}, 7),
    ("vmladav.s8 r4, q1, q2", "f2ee244f", "vector_multiply", {"q1", "q2"}, {"r4"}, 8),
)


def test_vectors_are_decoded_and_take_two_cycles_of_a_unit() -> None:
    need("capstone")
    model, state = table(M55), State()
    assert isinstance(model, Pipeline)
    registers = {f"q{number}": VECTORS + number for number in range(8)}
    registers |= {f"r{number}": SCALARS[number] for number in range(13)}
    for text, code, kind, reads, writes, starts in HELIUM:
        this = vector(0, bytes.fromhex(code))
        assert this is not None and this.kind == kind, text
        assert this.reads >= {registers[name] for name in reads}, text
        assert this.writes == {registers[name] for name in writes}, text
        model.issue(state, this)
        assert state.now == starts, text


def test_a_jump_that_no_instruction_explains_is_refused() -> None:
    right = table(M4)
    assert isinstance(right, Timing)
    wrong = replace(right, costs={**right.costs, "branch": Cost(1)})
    with pytest.raises(Exception, match="cannot be trusted"):
        run(LOOP[0], M4, wrong)


def test_no_table_no_cycles() -> None:
    timing, why = for_core("cortex-m0")
    assert timing is None and why == "no timing model of cortex-m0" and not margin("cortex-m0")
