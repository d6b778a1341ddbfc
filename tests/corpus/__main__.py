"""python -m tests.corpus: a table of what becomes of every network, with the first refusal of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from tests.corpus.check import STAGES, Row, attempt
from tests.corpus.entry import HERE, Entry, entries
from tests.corpus.fidelity import fidelity

EXECUTORS = ("numpy", "host")


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Run the entries whose name contains NAME.")
@click.option(
    "--entries", "folder", type=click.Path(exists=True, path_type=Path), default=HERE, help="Their folder."
)
@click.option("--on", multiple=True, metavar="EXECUTOR", help="Executors in place of numpy and host.")
@click.option("--all-executors", is_flag=True, help="Add the executors that an entry names.")
@click.option("--slow/--no-slow", default=False, help="Run those of real size too.")
@click.option(
    "--fidelity", "resembles", is_flag=True, help="Compare 8-bit conversions with the float networks."
)
@click.option("--full", is_flag=True, help="Print whole refusals, not their first line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--status", is_flag=True, help="Print status.toml (with --slow --all-executors).")
def main(
    only: tuple[str, ...],
    folder: Path,
    on: tuple[str, ...],
    all_executors: bool,
    slow: bool,
    resembles: bool,
    full: bool,
    as_json: bool,
    status: bool,
) -> None:
    """Convert, train, lower and compare every network of the corpus."""
    chosen = [
        e
        for e in entries(folder)
        if (slow or not e.slow or only) and (not only or any(o in e.name for o in only))
    ]
    rows = []
    for entry in chosen:
        if resembles:
            print(f"{entry.name:<24} {_fidelity(entry)}", flush=True)
            continue
        row = attempt(entry, (*(on or EXECUTORS), *(entry.on if all_executors else ())))
        rows.append(row)
        print(_json(row) if as_json else _status(row) if status else _line(row, full), flush=True)
    if rows and not as_json and not status:
        print(summary(rows))


def _fidelity(entry: Entry) -> str:
    try:
        figure = fidelity(entry)
    except RuntimeError as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
    return "does not convert" if figure is None else f"{figure:.4f}"


def _line(row: Row, full: bool) -> str:
    names = [name for name in row.stages if name not in STAGES]
    marks = [f"{name} {_mark(row.stages.get(name))}" for name in (*STAGES, *(names or EXECUTORS))]
    text = row.failure if full else " ".join(row.failure.split())[:160]
    head = f"{row.entry.name:<24} {row.entry.style[:32]:<32} {row.entry.expected:<8} {'  '.join(marks)}"
    return f"{head}  {'ok ' if row.good else 'BAD'} {row.seconds:4.1f} s  {text}".rstrip()


def _mark(passed: bool | None) -> str:
    return {True: "yes", False: "NO ", None: "-  "}[passed]


def _status(row: Row) -> str:
    stage = next((name for name, passed in row.stages.items() if not passed), STAGES[0])
    stage = stage.removesuffix("s") if stage in STAGES else stage
    return f'{row.entry.name} = "{row.entry.expected if row.good else f"not yet: {stage}"}"'


def _json(row: Row) -> str:
    entry = row.entry
    return json.dumps(
        {
            "name": entry.name,
            "style": entry.style,
            "expected": entry.expected,
            "good": row.good,
            "stages": row.stages,
            "refusal": row.refusal,
            "crash": row.crash,
            "wrong": row.wrong,
            "seconds": round(row.seconds, 2),
        }
    )


def summary(rows: Iterable[Row]) -> str:
    """One line: how many convert and are exact, are refused in one report, are neither."""
    rows = list(rows)
    right = [row for row in rows if row.good]
    exact = sum(row.entry.expected == "converts" for row in right)
    wanted = sum(row.entry.expected == "converts" for row in rows)
    crashed = sum(bool(row.crash) for row in rows)
    return (
        f"{len(rows)} entries: {exact} of {wanted} convert and are exact, {len(right) - exact} of "
        f"{len(rows) - wanted} are refused with every reason, {crashed} end in an exception of another kind, "
        f"{sum(row.seconds for row in rows):.0f} s"
    )


if __name__ == "__main__":
    main()
