"""Trains the runs of a sweep, several at a time, each in its own process. It skips finished runs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import Child
from edgeternary.train.files import write_whole
from edgeternary.train.sweep import Run

LOG = "log.txt"
POLL = 0.1  # seconds between looks at the processes


def train_all(
    runs: Sequence[Run],
    jobs: int = 1,
    *,
    threads: int = 0,
    float_reference: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Trains every run that has no card yet. An interrupted run continues from its checkpoint.

    threads   threads of each process; by default the number of cores divided by `jobs`
    progress  called after each run with (done, total)
    If a run fails, the others finish first; then EdgeTernaryError is raised.
    """
    waiting = [run for run in runs if not _finished(run, float_reference)]
    done, total = len(runs) - len(waiting), len(runs)
    threads = threads or max(1, (os.cpu_count() or 1) // jobs)
    running: list[tuple[Run, Child]] = []
    failed: list[Run] = []
    if progress:
        progress(done, total)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                run = waiting.pop(0)
                running.append((run, _start(run, threads, float_reference)))
            time.sleep(POLL)
            for run, process in list(running):
                if process.poll() is not None:
                    running.remove((run, process))
                    process.end()
                    done += 1
                    if not _finished(run, float_reference):
                        failed.append(run)
                    if progress:
                        progress(done, total)
    finally:
        for _, process in running:
            process.terminate()
        for _, process in running:
            process.wait()
            process.end()
    if failed:
        raise EdgeTernaryError(
            f"{len(failed)} of {total} runs failed",
            f"the first says: {_last_words(failed[0].folder / LOG)}",
            f"see {failed[0].folder / LOG}; the same command continues with the missing runs",
        )


def _finished(run: Run, float_reference: bool) -> bool:
    card = run.card()
    return card is not None and not (float_reference and card["float_accuracy"] is None)


def _start(run: Run, threads: int, float_reference: bool) -> Child:
    run.folder.mkdir(parents=True, exist_ok=True)
    recipe = run.folder / "recipe.json"
    write_whole(recipe, json.dumps(run.table, indent=2) + "\n")
    command = [sys.executable, "-m", "edgeternary", "train", str(recipe), "-o", str(run.folder)]
    command += ["--threads", str(threads), *(["--float"] if float_reference else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    with (run.folder / LOG).open("wb") as log:
        return Child(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def _last_words(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n")
    return " ".join(line.strip() for line in lines[-6:] if line.strip()) or "nothing"
