"""docs/cycles.md from the rows of `make bench-cycles`."""

from collections.abc import Sequence
from typing import Any

from benchmarks.cycles import FLASH, RAM, table
from edgeternary.run._emulator.timing import margin

Rows = Sequence[dict[str, Any]]

HEAD = """# Cycles

Cycles are modelled. This page holds the model against cycles that others measured on chips, and says what
its rules are. `make bench-cycles BENCH_ARGS="FOLDER --document docs/cycles.md"` generates it; `{data}` holds
the rows. Instructions are exact, and no rule of this page changes them.

Every figure of cycles carries the error of its core, which is the largest one of the programs below: in
`timing` of the stats of an executor, in what `bench` prints, and in [benchmarks.md](benchmarks.md).

| core | programs | chips | mean error | largest | printed as |
|---|---|---|---|---|---|
{summary}

The programs are assembly, so that no compiler stands between the measurement and the model; those of pqm3
and pqm4 are C and assembly. Their code is not part of this project. FOLDER holds one image for each name in
the column *image*: code from {flash:#x} on, constants and variables from {ram:#x} on, linked from the files
of the project that the function needs. Memory is filled with random numbers, and the function is called as
`benchmarks/published/cycles.toml` says.
An image for the M55 is one for the emulated board `mps3_an547`, calls the function and ends.

* The M0 is not a core that edgeternary builds for. It differs from the M0+ in the third stage of its
  pipeline, which a taken branch fills: with that cycle added, the same table holds for it. No program with
  published cycles of an M0+ without wait states was found.
* The programs of the M7 and the M33 come from one project, whose author scheduled them by hand for these
  cores, so that the error of compiled code can be larger there. Of other code for the M7 ratios are known:
  rescheduled by SLOTHY, Keccak-f[1600] of the M4 became 1.30 times faster and the NTT of ML-KEM 1.69 times
  (eprint.iacr.org/2025/366, on an STM32F767); the model says 1.27 and 1.67.
* Only two programs were found for the M55. The published cycles of its NTT contain a function in C around
  it, which is not in the image; schedules of SLOTHY differ between runs, and those measured may be others.
  Nothing was found that gathers and scatters, as some kernels for the M55 do.
"""
RULES = """
## Rules

* **M0+** (Arm DDI 0484C, 3.3): loads and stores 2, their multiple forms 1 + N, a taken branch 2, BL 3, the
  others 1.
* **M3, M4** (Arm DDI 0337I and 0439D, 3.3): a load 2, and 1 right after another load whose result its
  address does not need, unless its 32 bits cross a word; a store 1, or 2 with a register offset, and one
  less right after such a load; a load one more right after a store; LDM and STM 1 + N; one more where the
  instruction right before makes the address. A taken branch takes 3, and 4 to an instruction of 32 bits that
  crosses a word. An IT after an instruction of 16 bits takes none. M3: MLA 2, UMULL 5, UMLAL 7 (the
  longest). UDIV is counted as 12 (the longest).
* **M33**: one instruction a cycle. The results of loads, products, shifted operands and DSP instructions
  come a cycle later; LDM and STM take N, LDRD and STRD 2, MULS 2. A taken branch takes 2, or 1 as the second
  of two instructions of 16 bits; as such, NOP and a branch not taken take none, nor does IT.
* **M7**: two instructions a cycle, but not two stores, two products, a product and a store, two on parts of
  a register (UXTB, BFI, SEL), or two that shift an operand; LDM, STM, LDRD and STRD are alone and take half
  a cycle a register. Additions, moves and shifts hand their result to the younger instruction of the same
  cycle, others to the next cycle; a shifter or an address needs it one cycle earlier. A product takes 2,
  loads 1. Branches are predicted, but for the end of a loop (7 cycles). Caches are warm.
* **M55**: as the M33, but a loaded word can be used in the next cycle, and LDRD takes 1. A vector keeps one
  of three units for two cycles (memory; additions, logic and shifts; products), while the next instruction
  starts; it may need the result, but that of a product only a cycle later. A gather or scatter keeps the
  memory for a cycle for two elements. LE takes none. QEMU counts by address, so that what the first
  instructions of a loop wait for across its branch is left out.

An instruction whose condition fails is counted as if it ran.

## Wait states

`--flash-wait N` of `bench` and `simulate` (option `flash_wait` of an executor) lets each word of code arrive
N cycles later, and `--flash-wait N:BYTES` each line of BYTES. `cycles` then are those with a prefetcher,
which reads the next line while the core works on this one: a line that the core is done with in c cycles
waits for max(N + 1 - c, 0), and one that a branch jumps to for N. `cycles_most` are those without: each line
waits for N. `bench --board` takes wait states, line and cache from the board's file; loops that fit into the
cache wait for each of their lines once in `cycles`, and `cycles_most` are those without cache and
prefetcher. Data and code in RAM do not wait; code of the M55 never does.

The error of the programs below that were measured with wait states, all with a prefetcher, is {waits:.1%} at
most.
"""
COLUMNS = ("program", "source", "image", "chip", "instructions", "published", "modelled", "error")
WAITING = (*COLUMNS[:4], "wait states", *COLUMNS[4:])


def document(rows: Rows, data: str) -> str:
    """Markdown: a line a core, the rules, a table a core, and where the figures come from."""
    at_once = [row for row in rows if not row["wait_states"]]
    waiting = [row for row in rows if row["wait_states"]]
    cores = list(dict.fromkeys(row["core"] for row in rows))
    summary = "\n".join(_core(core, at_once) for core in cores)
    waits = max((abs(row["error"]) for row in waiting), default=0.0)
    parts = [
        HEAD.format(data=data, flash=FLASH.origin, ram=RAM.origin, summary=summary),
        RULES.format(waits=waits),
    ]
    for core in cores:
        parts += [f"\n## {core}\n", *_table(COLUMNS, [row for row in at_once if row["core"] == core])]
    if waiting:
        parts += ["\n## With wait states\n", *_table(WAITING, waiting)]
    parts += ["\n## Sources\n"]
    used = dict.fromkeys(row["source"] for row in rows)
    for name, source in table().sources.items():
        if name in used:
            parts.append(f"* *{name}*: {source.url}, commit {source.commit[:10]}; {source.measured}")
    return "\n".join(parts) + "\n"


def errors(rows: Rows, core: str) -> list[float]:
    """|modelled / published - 1| of the programs of a core without wait states."""
    return [abs(row["error"]) for row in rows if row["core"] == core and not row["wait_states"]]


def _core(core: str, rows: Rows) -> str:
    found = errors(rows, core)
    chips = ", ".join(dict.fromkeys(row["chip"] for row in rows if row["core"] == core))
    printed = margin(core) or f"{margin('cortex-m0plus')} (M0+)"
    mean = sum(found) / len(found)
    return f"| {core} | {len(found)} | {chips} | {mean:.1%} | {max(found):.1%} | {printed} |"


def _table(columns: Sequence[str], rows: Rows) -> list[str]:
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return lines + ["| " + " | ".join(_cells(columns, row)) + " |" for row in rows]


def _cells(columns: Sequence[str], row: dict[str, Any]) -> list[str]:
    cells = {key: f"{value:,}" if isinstance(value, int | float) else value for key, value in row.items()}
    cells |= {
        "error": f"{row['error']:+.1%}", "wait states": f"{row['wait_states']} for {row['line']} bytes"
    }  # fmt: skip
    return [cells[column] for column in columns]
