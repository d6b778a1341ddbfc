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

Every figure of cycles carries the error of its core, the largest one of the tables below, as `+-N %`: in
`timing` of the stats of an executor, in what `bench` prints, and in the tables of
[benchmarks.md](benchmarks.md).

| core | programs | chips | mean error | largest | printed as |
|---|---|---|---|---|---|
{summary}

The programs are assembly, so that no compiler stands between the measurement and the model, and take the
same time for all inputs. Their code is not part of this project. FOLDER holds one image for each name in the
column *image*: code from {flash:#x} on, constants and variables from {ram:#x} on, linked from the file of
the project that defines the function. Memory is filled with random numbers, and the function is called as
`benchmarks/published/cycles.toml` says.

The M0 is not a core that edgeternary builds for. It differs from the M0+ in the third stage of its pipeline,
which a taken branch fills: with that cycle added, the same table holds for it. No program with published
cycles of an M0+ without wait states was found.

The programs of the M7 and the M33 come from one project, whose author scheduled them by hand for these
cores, so that the error of compiled code can be larger there.
"""
RULES = """
## Rules

* **M0+** (Arm DDI 0484C, 3.3): loads and stores 2, their multiple forms 1 + N, a taken branch 2, BL 3, the
  others 1.
* **M3, M4** (Arm DDI 0337I and 0439D, 3.3): a load 2, and 1 right after another load whose result its
  address does not need; a store 1, or 2 with a register offset, and one less right after such a load; a load
  one more right after a store; LDM and STM 1 + N; one more where the instruction right before makes the
  address. A taken branch takes 3, and 4 to an instruction of 32 bits that crosses a word. An IT after an
  instruction of 16 bits takes none. M3: MLA 2, UMULL 5, UMLAL 7 (the longest). UDIV is counted as 12 (the
  longest).
* **M33**: one instruction a cycle. The results of loads, products, shifted operands and DSP instructions
  come a cycle later; LDM and STM take N, LDRD and STRD 2, MULS 2. A taken branch takes 2, or 1 as the second
  of two instructions of 16 bits; as such, NOP and a branch not taken take none, nor does IT.
* **M7**: two instructions a cycle, but not two stores, two products, a product and a store, two on parts of
  a register (UXTB, BFI, SEL), or two that shift an operand; LDM, STM, LDRD and STRD are alone and take half
  a cycle a register. Additions, moves and shifts hand their result to the younger instruction of the same
  cycle, others to the next cycle; a shifter or an address needs it one cycle earlier. A product takes 2,
  loads 1. Branches are predicted, but for the end of a loop (7 cycles). Caches are warm.

An instruction whose condition fails is counted as if it ran.
"""
COLUMNS = ("program", "source", "image", "chip", "instructions", "published", "modelled", "error")


def document(rows: Rows, data: str) -> str:
    """Markdown: a line a core, the rules, a table a core, and where the figures come from."""
    cores = list(dict.fromkeys(row["core"] for row in rows))
    head = HEAD.format(
        data=data, flash=FLASH.origin, ram=RAM.origin, summary="\n".join(_core(core, rows) for core in cores)
    )
    parts = [head, RULES]
    for core in cores:
        parts += [f"\n## {core}\n", "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
        parts += [_line(row) for row in rows if row["core"] == core]
    parts += ["\n## Sources\n"]
    used = dict.fromkeys(row["source"] for row in rows)
    for name, source in table().sources.items():
        if name in used:
            parts.append(f"* *{name}*: {source.url}, commit {source.commit[:10]}; {source.measured}")
    return "\n".join(parts) + "\n"


def errors(rows: Rows, core: str) -> list[float]:
    """|modelled / published - 1| of the programs of a core."""
    return [abs(row["error"]) for row in rows if row["core"] == core]


def _core(core: str, rows: Rows) -> str:
    found = errors(rows, core)
    chips = ", ".join(dict.fromkeys(row["chip"] for row in rows if row["core"] == core))
    printed = margin(core) or "that of the M0+"
    return (
        f"| {core} | {len(found)} | {chips} | {sum(found) / len(found):.1%} | {max(found):.1%} | {printed} |"
    )


def _line(row: dict[str, Any]) -> str:
    cells = {**row, "error": f"{row['error']:+.1%}"}
    cells |= {key: f"{row[key]:,}" for key in ("instructions", "published", "modelled")}
    return "| " + " | ".join(str(cells[key]) for key in COLUMNS) + " |"
