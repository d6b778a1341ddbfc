"""MLPerf Tiny: the official int8 models through our import, and our networks, on emulated cores.

As the harness of MLPerf Tiny runs them: single stream, a batch of one, one inference from the input's codes
to the output's codes. A softmax at the end is left off, and the host's transfer of the input is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import edgeternary
from benchmarks.published.tiny import Board, Net, ours, published
from edgeternary.bench import make, rows
from edgeternary.bench.rows import CHECKED, Row
from edgeternary.build.c_project import Settings, judged
from edgeternary.c.plan import Plan
from edgeternary.c.select import Planner
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run import run

ROOT = Path(__file__).parents[1]
CORES = ("cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33")
DEFAULTS = {"compiler": "auto", "opt_level": "2", "optimize": "cycles"}
OFFICIAL, OURS = "official int8", "ours"
KEPT = (
    "macs", "instructions", "cycles", "timing", "flash_bytes", "ram_bytes", "compiler", "opt_level",
    "samples", "mismatches", "estimated_cycles",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A network of the table. judged: its file is compared with LiteRT's reference kernels."""

    task: str
    name: str
    kind: str
    path: Path
    judged: bool


def entries(folder: Path, only: Sequence[str] = ()) -> list[Entry]:
    """The official models, then ours, whose names contain one of `only`; EdgeTernaryError for none."""
    found = [
        Entry(name, task.model, OFFICIAL, folder / f"{task.model}.tflite", True)
        for name, task in published().tasks.items()
    ]
    found += [Entry(net.task, net.name, OURS, _place(net, folder), False) for net in ours().nets]
    named = [entry for entry in found if not only or any(text in entry.name for text in only)]
    there = [entry for entry in named if entry.path.is_file()]
    if not there:
        raise EdgeTernaryError(
            f"{folder} has none of the models", f"looked for {', '.join(entry.path.name for entry in named)}",
            "name a folder with the files of mlcommons/tiny: --models FOLDER; docs/tiny.md says which", USAGE,
        )  # fmt: skip
    return there


def _place(net: Net, folder: Path) -> Path:
    return ROOT / net.file if (ROOT / net.file).is_file() else folder / net.file


def measure(
    chosen: Sequence[Entry],
    cores: Sequence[str],
    options: dict[str, object],
    progress: Callable[[str, int, int], None] = lambda text, done, total: None,
) -> Iterator[Row]:
    """A row for each entry and core. mismatches: samples whose whole output is not numpy's, or LiteRT's."""
    for number, entry in enumerate(chosen):
        graph = edgeternary.load(str(entry.path))
        inputs = make.inputs(graph, CHECKED)
        differ = 0
        if entry.judged:
            want = run(graph, inputs, on="tflite", options={"original": entry.path}).outputs
            got = run(graph, inputs).outputs
            differ = int((want != got).reshape(len(inputs), -1).any(axis=1).sum())
        for place, core in enumerate(cores):
            progress(f"{entry.name} {core}", number * len(cores) + place, len(chosen) * len(cores))
            found = rows.measure(graph, core, options)
            board = published().boards[core]
            if found["flash_bytes"] > board.flash or found["ram_bytes"] > board.ram:
                found = rows.measure(graph, core, options, _fitting(graph, core, options, board))
            row: Row = {"task": entry.task, "name": entry.name, "kind": entry.kind, "core": core}
            row |= {key: found[key] for key in KEPT if key in found}
            yield {**row, "mismatches": found["mismatches"] + differ}


def _fitting(graph: Graph, core: str, options: dict[str, object], board: Board) -> Plan:
    """The fastest plan that the flash and the RAM of the board hold."""
    compiler, level, goal = (str(options.get(key, default)) for key, default in DEFAULTS.items())
    settings = Settings(compiler, level, goal, board.flash, board.ram)
    return judged(Planner(graph, core), core, None, False, lambda text: None, settings).plan


def merged(known: Sequence[Row], found: Sequence[Row]) -> list[Row]:
    """The rows of a document with those that were measured now in their places."""
    now = {(row["name"], row["core"]): row for row in found}
    old = {(row["name"], row["core"]): row for row in known}
    names = [task.model for task in published().tasks.values()] + [net.name for net in ours().nets]
    both = {**old, **now}
    return sorted(both.values(), key=lambda row: (names.index(row["name"]), CORES.index(row["core"])))
