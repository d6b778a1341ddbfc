"""What the demo does now, on stderr: on a terminal a bar for the whole and a line for each job at work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgeternary.cli._output import note

if TYPE_CHECKING:
    from rich.progress import TaskID

    from edgeternary.report.demo import Job


class Plain:
    """Without a terminal: a line on stderr when a job begins, and when it has ended."""

    def __init__(self, total: int) -> None:
        self.total, self.ended, self.start = total, 0, time.monotonic()
        self.begun: set[Job] = set()
        self.over: set[Job] = set()  # what its worker said before may still come

    def told(self, job: Job, text: str, done: int, total: int) -> None:
        """As run_demo calls it."""
        if text and job in self.begun | self.over:
            return
        self.begun.add(job)
        if not text:
            self.over.add(job)
            self.ended += 1
        seconds = time.monotonic() - self.start
        line = f"{seconds:5.0f} s  {job.model} {job.executor}: {text or 'complete'}"
        note(line if text else f"{line}, {self.ended} of {self.total}")

    @contextmanager
    def away(self) -> Iterator[None]:
        """While a row is printed."""
        yield


class Bars(Plain):
    """On a terminal."""

    def __init__(self, total: int, progress: Any) -> None:
        super().__init__(total)
        self.progress = progress
        self.whole = progress.add_task("the demo", total=total)
        self.tasks: dict[Job, TaskID] = {}

    def told(self, job: Job, text: str, done: int, total: int) -> None:
        if not text:
            self.over.add(job)
            self.ended += 1
            self.progress.update(self.whole, completed=self.ended)
            if job in self.tasks:
                self.progress.remove_task(self.tasks.pop(job))
            return
        if job in self.over:
            return
        name = f"{job.model} {job.executor}: {text}"
        if job not in self.tasks:
            self.tasks[job] = self.progress.add_task(name, total=None)
        self.progress.update(self.tasks[job], description=name, completed=done, total=total or None)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.progress.stop()
        yield
        sys.stdout.flush()
        self.progress.start()


@contextmanager
def demo_bars(total: int) -> Iterator[Plain]:
    """Shows how `total` jobs go on: `told` is for run_demo, `away` for when stdout is written."""
    if not sys.stderr.isatty():
        yield Plain(total)
        return
    from rich import progress as rich
    from rich.console import Console

    columns = [
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
    ]
    console = Console(stderr=True)
    with rich.Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bars:
        yield Bars(total, bars)
