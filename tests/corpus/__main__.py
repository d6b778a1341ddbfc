"""python -m tests.corpus: a table of what becomes of every network, with the first refusal of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from tests.corpus.check import STAGES, Row, attempt
from tests.corpus.entry import HERE, Entry, entries
from tests.corpus.fidelity import fidelity

EXECUTORS = ("numpy", "host")


def shape(name: str, text: str) -> Callable:
    """An option that chooses what is printed."""
    return click.option(f"--{name}", "printed", flag_value=name, help=text)


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Run the entries whose name contains NAME.")
@click.option("--entries", "folder", type=click.Path(path_type=Path), default=HERE, help="Their folder.")
@click.option("--on", multiple=True, metavar="EXECUTOR", help="Executors in place of numpy and host.")
@click.option("--all-executors", is_flag=True, help="Add the executors that an entry names.")
@click.option("--slow", is_flag=True, help="Run those of real size too.")
@shape("full", "Print whole refusals.")
@shape("json", "Print one JSON object a line.")
@shape("markdown", "Print a table by kind of network.")
@shape("status", "Print status.toml (with --slow --all-executors).")
@shape("fidelity", "Print how far 8-bit conversions follow the float networks, and nothing else.")
def main(
    only: tuple[str, ...],
    folder: Path,
    on: tuple[str, ...],
    all_executors: bool,
    slow: bool,
    printed: str | None,
) -> None:
    """Convert, train, lower and compare every network of the corpus."""
    named = [entry for entry in entries(folder) if any(part in entry.name for part in only or ("",))]
    chosen = [entry for entry in named if slow or only or not entry.slow]
    if printed == "fidelity":
        for entry in chosen:
            print(f"{entry.name:<24} {_fidelity(entry)}", flush=True)
        return
    lines = {"json": _json, "status": _status, "full": _full, "markdown": lambda row: ""}
    rows = []
    for entry in chosen:
        rows.append(attempt(entry, (*(on or EXECUTORS), *(entry.on if all_executors else ()))))
        text = lines.get(printed or "", _line)(rows[-1])
        if text:
            print(text, flush=True)
    if printed == "markdown":
        print("\n".join(_table(rows)))
    if printed not in ("json", "status"):
        print(summary(rows))


def _fidelity(entry: Entry) -> str:
    try:
        figure = fidelity(entry)
    except RuntimeError as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
    return "does not convert" if figure is None else f"{figure:.4f}"


def _line(row: Row) -> str:
    names = [name for name in row.stages if name not in STAGES]
    marks = [f"{name} {_mark(row.stages.get(name))}" for name in (*STAGES, *(names or EXECUTORS))]
    head = f"{row.entry.name:<24} {row.entry.style[:32]:<32} {row.entry.expected:<8} {'  '.join(marks)}"
    text = " ".join(row.failure.split())[:160]
    return f"{head}  {'ok ' if row.good else 'BAD'} {row.seconds:4.1f} s  {text}".rstrip()


def _full(row: Row) -> str:
    return f"{_line(row)}\n{row.failure}".rstrip()


def _mark(passed: bool | None) -> str:
    return {True: "yes", False: "NO ", None: "-  "}[passed]


def _status(row: Row) -> str:
    stage = next((name for name, passed in row.stages.items() if not passed), STAGES[0])
    stage = stage.removesuffix("s") if stage in STAGES else stage
    return f'{row.entry.name} = "{row.entry.expected if row.good else f"not yet: {stage}"}"'


def _table(rows: list[Row]) -> Iterator[str]:
    """One row for each file of networks: what they are, how many are exact, how many are refused."""
    yield "| networks | tried | convert, train, exact | refused in one report |"
    yield "|---|---|---|---|"
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        text = row.entry.source().read_text(encoding="utf-8")
        kinds.setdefault(text.split('"""')[1].splitlines()[0].rstrip("."), []).append(row)
    for kind, those in kinds.items():
        exact = sum(row.good and row.entry.expected == "converts" for row in those)
        refused = sum(row.good and row.entry.expected == "refused" for row in those)
        yield f"| {kind} | {len(those)} | {exact} | {refused} |"


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
