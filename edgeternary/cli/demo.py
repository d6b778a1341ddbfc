"""edgeternary demo: the shipped models on every executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import json_option, note, print_json, stopwatch
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.report.demo import Job

COMMON = {"model": 20, "executor": 16, "samples": 7, "mismatches": 10, "accuracy": 8}
SOFTWARE = {**COMMON, "instructions": 12, "cycles": 9, "flash_bytes": 8, "ram_bytes": 7}
GATES = {**COMMON, "cycles": 6, "luts": 6, "ffs": 6, "ram_blocks": 10, "multipliers": 4}


@verb()
@click.option("--quick", is_flag=True, help="A small model on five executors: half a minute.")
@click.option("--only", metavar="MODEL", default="", help="Run only fashion-cnn or fashion-mlp.")
@click.option("--fresh", is_flag=True, help="Run yosys here, in place of what ships.")
@json_option
def command(quick: bool, only: str, fresh: bool, as_json: bool) -> None:
    """Run shipped models on every executor: all answer with the same bits.

    Real test images go through PyTorch (or its recorded logits, where torch is not installed), numpy, C on
    this machine, C on emulated Cortex-M cores, and the simulated hardware. Rows are printed as they are
    measured, software first. Ctrl-C ends the table there; what was built is kept for the next time.

    yosys's C++ and LUT counts of these designs ship with the package. They are used only where the digest
    of the design is the same; otherwise yosys runs here.

    \b
    Example:
      edgeternary demo --quick
    """
    from edgeternary.cli._bars import demo_bars
    from edgeternary.report.demo import DEVICE, absent, differing, jobs, run_demo
    from edgeternary.report.tables import wrapped

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted = jobs(quick, only, shipped=not fresh)
    note("Test images through every executor; each complete output is compared with PyTorch's.")
    rows: list[dict[str, Any]] = []
    show = _silent if as_json else _table(wanted)
    try:
        with stopwatch() as seconds, demo_bars(len(wanted)) as bars:
            for row in run_demo(wanted, told=bars.told):
                rows.append(row)
                with bars.away():
                    show(row)
    except KeyboardInterrupt:
        note(f"{len(rows)} rows are complete; the same command goes on with what was built")
        raise
    finally:  # after Ctrl-C too: the rows that are there are right
        if as_json:
            order = {(job.model, job.executor): place for place, job in enumerate(wanted)}
            print_json(sorted(rows, key=lambda row: order[row["model"], row["executor"]]))
        elif rows:
            for line in _footer(rows, seconds(), DEVICE).splitlines():
                click.echo(wrapped(line))
    wrong = differing(rows)
    if wrong:
        names = ", ".join(f"{row['model']} on {row['executor']}" for row in wrong)
        raise EdgeTernaryError(
            f"not bit-exact: {names}",
            f"first in {wrong[0]['difference']}",
            "report this as a bug",
            NOT_BIT_EXACT,
        )
    missing = absent(wanted)
    if missing:
        raise missing


def _silent(row: dict[str, Any]) -> None:
    """Of --json, which comes in one piece."""


def _table(wanted: Sequence[Job]) -> Callable[[dict[str, Any]], None]:
    """Prints the titles of the models; the function prints a row at once, below the head of its table."""
    from edgeternary import zoo
    from edgeternary.report.demo import HARDWARE
    from edgeternary.report.tables import Lines

    for model in dict.fromkeys(job.model for job in wanted):
        click.echo(f"{model}: {zoo.card(model).get('summary', '')}")
    tables = {False: Lines(SOFTWARE), True: Lines(GATES)}
    begun: set[bool] = set()

    def show(row: dict[str, Any]) -> None:
        hardware = row["executor"] in HARDWARE
        if hardware not in begun:
            begun.add(hardware)
            click.echo(f"\n{tables[hardware].head()}")
        click.echo(tables[hardware].row(row))

    return show


def _footer(rows: list[dict[str, Any]], seconds: float, device: str) -> str:
    lines = [
        "",
        "mismatches: samples whose complete output differs from PyTorch's. accuracy: from 1,000 samples up.",
        "instructions, cycles: of one inference (hardware: clock cycles a frame, its load included).",
        "flash: what the model adds to an image. RAM: its variables and the measured stack.",
    ]
    cycles = {row["executor"]: row["timing"] for row in rows if row.get("timing")}
    lines += [f"{executor}: cycles {timing}." for executor, timing in cycles.items()]
    hardware = next((row for row in rows if row.get("device")), None)
    if hardware:
        shipped = ": shipped figures of exactly this design (--fresh counts again)"
        lines.append(
            f"LUTs, FFs, block RAMs, multipliers: the whole design for {device}, "
            f"counted by {hardware.get('yosys')}{shipped if hardware.get('counted') else ''}."
        )
    right = all(row["mismatches"] == 0 for row in rows)
    count = f"{len(rows)} row{'s' * (len(rows) != 1)}"
    lines.append(f"{'Every bit is equal' if right else 'NOT bit-exact'} ({count}, {seconds:.0f} s).")
    return "\n".join(lines)
