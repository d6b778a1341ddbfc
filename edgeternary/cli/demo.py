"""edgeternary demo: the shipped models on every executor."""

from __future__ import annotations

import os

import click

from edgeternary.cli._output import json_option, note, print_json, progress_bars, stopwatch
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError

COLUMNS = (
    "executor", "samples", "mismatches", "accuracy", "instructions", "cycles", "flash_bytes",
    "ram_bytes", "luts", "ffs", "ram_blocks", "multipliers",
)  # fmt: skip


@click.command()
@click.option("--quick", is_flag=True, help="Fewer samples where simulation is slow: under a minute.")
@click.option("--only", metavar="MODEL", default="", help="Only this model: fashion-mlp or fashion-cnn.")
@json_option
def command(quick: bool, only: str, as_json: bool) -> None:
    """Run the shipped models on every executor: all answer with the same bits.

    Real Fashion-MNIST test images go through PyTorch (or its recorded logits, where torch is not
    installed), numpy, C on this machine, C on emulated Cortex-M cores, and the simulated hardware,
    which is also synthesised.
    """
    from edgeternary import zoo
    from edgeternary.report.demo import differing, jobs, run_demo
    from edgeternary.report.tables import print_table

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted = jobs(quick, only)
    note("Fashion-MNIST test images through every executor; each complete output is compared with PyTorch's.")
    with stopwatch() as seconds, progress_bars() as progress:
        rows = run_demo(wanted, progress=lambda job, done, total: progress("jobs", done, total))
    if as_json:
        print_json(rows)
    else:
        for model in dict.fromkeys(row["model"] for row in rows):
            title = f"\n{model}: {zoo.card(model).get('summary', '')}"
            print_table([row for row in rows if row["model"] == model], COLUMNS, title=title)
        click.echo(_footer(rows, seconds()))
    wrong = differing(rows)
    if wrong:
        names = ", ".join(f"{row['model']} on {row['executor']}" for row in wrong)
        raise EdgeTernaryError(
            f"not bit-exact: {names}",
            f"first in {wrong[0]['difference']}",
            "report this as a bug",
            NOT_BIT_EXACT,
        )


def _footer(rows: list[dict[str, object]], seconds: float) -> str:
    lines = [
        "",
        "mismatches: samples whose complete output differs from PyTorch's. accuracy: from 1,000 samples up.",
        "instructions, cycles: of one inference (hardware: clock cycles a frame, its load included).",
        "flash: what the model adds to an image. RAM: its variables and the measured stack.",
    ]
    hardware = next((row for row in rows if row.get("device")), None)
    if hardware:
        device = f"{hardware['device']}, counted by {hardware.get('yosys')}"
        lines.append(f"LUTs, FFs, block RAMs, multipliers: the whole design for {device}.")
    right = all(row["mismatches"] == 0 for row in rows)
    lines.append(f"{'Every bit is equal' if right else 'NOT bit-exact'} ({len(rows)} rows, {seconds:.0f} s).")
    return "\n".join(lines)
