"""Results go to stdout, progress to stderr."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from rich.progress import TaskID

Row = Mapping[str, Any]
T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
markdown_option = click.option(
    "--markdown",
    metavar="[FILE]",
    is_flag=False,
    flag_value="-",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write the table as Markdown, without FILE to stdout.",
)


def print_json(content: Any) -> None:
    """Print `content` as indented JSON on stdout."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def print_rows(found: Row | Sequence[Row], columns: Sequence[str], as_json: bool, footer: str = "") -> None:
    """Print rows, or one row, on stdout: as JSON, or as a table of `columns` with a last line."""
    from edgeternary.report.tables import print_table

    if as_json:
        print_json(found)
    elif found:
        print_table([found] if isinstance(found, Mapping) else found, columns, footer=footer)


def write_text(path: Path, text: str) -> None:
    """Write `text` to a file, or to stdout where the path is "-"."""
    from edgeternary.build.files import write_file

    if str(path) == "-":
        click.echo(text, nl=False)
    else:
        write_file(path, text)


def note(text: str) -> None:
    """One line on stderr."""
    click.echo(text, err=True)


def note_timing(rows: Sequence[Row], what: str) -> None:
    """How modelled cycles come about, with their error: a line on stderr for each value of `what`."""
    for name, timing in {row[what]: row["timing"] for row in rows if row.get("timing")}.items():
        note(f"{name}: cycles {timing}")


def until_interrupted(found: Iterable[T]) -> tuple[list[T], Callable[[], None]]:
    """What an iterator gives, after Ctrl-C as far as it came; the function then ends the command (130).

    It is called when the rows that are complete have been printed.
    """
    rows: list[T] = []
    try:
        for row in found:
            rows.append(row)
    except KeyboardInterrupt as stopped:
        reason = stopped

        def end() -> None:
            some = f"{len(rows)} part{'s' * (len(rows) != 1)} complete"
            note(f"{some}; what was built is kept for the next time")
            raise reason

        return rows, end
    return rows, lambda: None


class Progress(Protocol):
    """Moves the bar called `task` (by default `caption`), which shows `caption`."""

    def __call__(self, caption: str, done: int, total: int, task: str = "") -> None: ...


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Gives a function that moves bars with rate and time left on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda caption, done, total, task="": None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = [rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn()]
    columns += [rich.TimeElapsedColumn(), rich.TextColumn("{task.fields[rate]}")]
    columns += [rich.TextColumn("left"), rich.TimeRemainingColumn()]
    tasks: dict[str, TaskID] = {}
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def update(caption: str, done: int, total: int, task: str = "") -> None:
            name = task or caption
            if name not in tasks:
                tasks[name] = bars.add_task(caption, total=total, completed=done, rate="")
            speed = bars.tasks[bars.task_ids.index(tasks[name])].speed
            rate = f"{speed:.1f}/s" if speed else ""
            bars.update(tasks[name], description=caption, completed=done, total=total, rate=rate)

        yield update


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Gives a function that returns the seconds since the block began."""
    start = time.monotonic()
    yield lambda: time.monotonic() - start
