"""docs/tiny.md from the rows of `make bench-tiny`: a table for each task, and the accuracies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.published.tiny import Task, ours, published
from benchmarks.tiny import OFFICIAL, Row
from benchmarks.tiny_plot import svg
from edgeternary.run._emulator.timing import margin
from edgeternary.train.interval import told

COLUMNS = (
    "task", "name", "core", "cycles", "instructions", "flash_bytes", "ram_bytes", "cmsis_cycles",
    "cmsis_ratio", "silicon_cycles", "silicon_ratio", "mismatches",
)  # fmt: skip
TEXT = Path(__file__).with_name("tiny_page.md")

__all__ = ["COLUMNS", "beside", "document", "svg"]


def beside(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows with the figures of CMSIS-NN and of silicon for the official model of the task, over ours."""
    return [{**row, **_others(row, published().tasks[row["task"]])} for row in rows]


def _others(row: Row, task: Task) -> dict[str, Any]:
    counted = task.cmsis.get(row["core"])
    silicon = task.silicon.get(row["core"])
    cycles, ours = (counted[1] if counted else None), row["cycles"]
    return {
        "cmsis_cycles": cycles, "cmsis_ratio": round(cycles / ours, 2) if cycles and ours else None,
        "silicon_cycles": round(1e6 * silicon) if silicon else None,
        "silicon_ratio": round(1e6 * silicon / ours, 2) if silicon and ours else None,
    }  # fmt: skip


def document(rows: Sequence[Row], name: str, hardware: Sequence[Row]) -> str:
    """The text of tiny_page.md with its marks {tables}, {accuracies}, {built} and {errors} filled in.

    hardware  rows of docs/fpga.json; those of our networks here are shown
    """
    tables = []
    for key, task in published().tasks.items():
        chosen = [row for row in beside(rows) if row["task"] == key]
        if chosen:
            tables += [f"### {task.title[0].upper()}{task.title[1:]}\n", *_table(chosen), ""]
    built = ", ".join(sorted({f"{row['compiler']} -O{row['opt_level']}" for row in rows}))
    cores = dict.fromkeys(row["core"] for row in rows)
    fields = {
        "tables": "\n".join(tables), "fpga": "\n".join(_hardware(hardware)),
        "accuracies": "\n".join(_accuracies()), "built": built, "name": name,
        "errors": ", ".join(f"{margin(core)} on the {_short(core)}" for core in cores if margin(core)),
        "boards": ", ".join(f"{board.name} ({_short(core)})" for core, board in published().boards.items()),
        "samples": max(row["samples"] for row in rows), "mismatches": sum(row["mismatches"] for row in rows),
    }  # fmt: skip
    text = TEXT.read_text(encoding="utf-8")
    for mark, content in fields.items():
        text = text.replace("{" + mark + "}", str(content))
    return text


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    titles = ("network", "core", "cycles", "flash", "RAM", "CMSIS-NN", "times ours", "silicon", "times ours")
    lines = ["| " + " | ".join(titles) + " |", "|---|---" + "|---:" * (len(titles) - 2) + "|"]
    for row in rows:
        name = f"{row['name']}, official" if row["kind"] == OFFICIAL else row["name"]
        cells = [
            name, _short(row["core"]), _number(row["cycles"]), _number(row["flash_bytes"]),
            _number(row["ram_bytes"]), _number(row["cmsis_cycles"]), row["cmsis_ratio"] or "",
            _number(row["silicon_cycles"]), row["silicon_ratio"] or "",
        ]  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _hardware(rows: Sequence[Row]) -> list[str]:
    names = {net.file: net.name for net in ours().nets}
    titles = (
        "network", "device", "LUT4", "block RAMs", "fmax MHz", "cycles", "inferences/s", "accuracy",
        "samples", "mismatches",
    )  # fmt: skip
    lines = ["| " + " | ".join(titles) + " |", "|---|---" + "|---:" * (len(titles) - 2) + "|"]
    for row in rows:
        if row["model"] in names:
            cells = [
                names[row["model"]], row["device"], _number(row["luts"]), row["ram_blocks"], row["fmax_mhz"],
                _number(row["cycles"]), _number(row["frames_per_s"]), f"{row['test_accuracy']:.2%}",
                _number(row["frames"]), row["mismatches"],
            ]  # fmt: skip
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _accuracies() -> list[str]:
    lines = ["| network | data | accuracy | samples | printed by |", "|---|---|---|---:|---|"]
    for record in ours().accuracies:
        share = f"{100 * record.accuracy:.2f} %, {told(record.accuracy, record.samples)}"
        lines.append(
            f"| {record.model} | {record.data} | {share} | {record.samples:,} | `{record.command}` |"
        )
    for net in ours().nets:
        share = (
            f"{100 * net.accuracy:.2f} %, {told(net.accuracy, net.samples)}" if net.accuracy else net.quality
        )
        if share:
            lines.append(f"| {net.name} | {net.data} | {share} | {net.samples:,} | `{net.command}` |")
    return lines


def _short(core: str) -> str:
    return core.removeprefix("cortex-").replace("m0plus", "m0+").upper()


def _number(count: int | None) -> str:
    return f"{count:,}" if count else ""
