"""edgeternary check: do models keep the budgets of edgeternary.toml?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._output import (
    json_option,
    markdown_option,
    note,
    print_json,
    until_interrupted,
    write_text,
)
from edgeternary.cli._record import record
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError, nearest

if TYPE_CHECKING:
    from edgeternary.budgets.measure import Row
    from edgeternary.budgets.table import Budget


@dataclass(frozen=True)
class Written:
    """Files beside the table on stdout."""

    junit: Path | None
    markdown: Path | None
    update: bool


written_options = record(
    "written",
    Written,
    click.option("--junit", type=click.Path(path_type=Path), help="Write the budgets as JUnit XML."),
    markdown_option,
    click.option("--update", is_flag=True, help="Write the figures as those of the last release."),
)


@verb()
@click.argument("file", type=click.Path(path_type=Path), default=Path("edgeternary.toml"))
@click.option("--only", metavar="NAME", multiple=True, help="Check this model only; may be repeated.")
@written_options
@json_option
def command(file: Path, only: tuple[str, ...], written: Written, as_json: bool) -> None:
    """Check models against the budgets in FILE (edgeternary.toml).

    A model is built for its target. Its cycles, flash, RAM, LUTs, accuracy and exactness are compared with
    what the table allows, and with the last release: edgeternary.lock.json, which --update writes where
    every budget is held. Exit code 5: a budget is exceeded; 4: not bit-exact.

    \b
    Example:
      edgeternary check --markdown "$GITHUB_STEP_SUMMARY" --junit budgets.xml
    """
    from edgeternary.budgets import lock, measure, shown, table
    from edgeternary.report.junit import write_suite
    from edgeternary.report.tables import print_table

    budgets = table.read(file)
    chosen = _chosen(budgets, only)
    released = lock.read(lock.lock_path(file))
    found, end = until_interrupted(_rows(chosen, file.absolute().parent))
    rows = [shown.data(row, released) for row in found]
    if as_json:
        print_json(rows)
    elif rows:
        print_table([shown.shown(row) for row in rows], shown.COLUMNS)
        for row in rows:
            if row["why"]:
                note(f"{row['model']}, {row['what']}: {row['why']}")
    if written.junit:
        write_suite(written.junit, "edgeternary check", shown.cases(rows))
    if written.markdown:
        write_text(written.markdown, shown.markdown(rows))
    end()
    failed = [row for row in found if row.verdict != measure.HELD]
    if failed:
        raise _failure(failed, len(rows), {row.verdict: measure.CODES[row.verdict] for row in failed})
    if written.update:
        figures: dict[str, dict[str, float]] = {name: dict(released.get(name, {})) for name in budgets}
        for one in found:
            if one.measured is not None and not one.what.startswith("exact "):
                figures[one.model][one.what] = one.measured
        lock.write(lock.lock_path(file), {name: known for name, known in figures.items() if known})
        note(f"wrote {lock.lock_path(file)}")


def _chosen(budgets: dict[str, Budget], only: tuple[str, ...]) -> dict[str, Budget]:
    for name in only:
        if name not in budgets:
            raise EdgeTernaryError(
                f"there is no model {name!r}",
                f"there are {', '.join(budgets)}",
                nearest(name, budgets),
                USAGE,
            )
    return {name: budget for name, budget in budgets.items() if not only or name in only}


def _rows(budgets: dict[str, Budget], folder: Path) -> Iterator[Row]:
    """The rows of each model; files are seen from the folder of the table."""
    from edgeternary.budgets.measure import rows
    from edgeternary.cli._inputs import choose_inputs
    from edgeternary.cli._model import load_model
    from edgeternary.cli._names import ZOO

    for name, budget in budgets.items():
        model = budget.file if budget.file.startswith(ZOO) else str(folder / budget.file)
        graph, inputs, labels = load_model(model), None, None
        if budget.exact is not None or budget.min_accuracy is not None:
            path = folder / budget.inputs if budget.inputs else None
            samples = budget.exact.samples if budget.exact and budget.min_accuracy is None else None
            inputs, labels = choose_inputs(graph, model, path, samples)
        yield from rows(name, budget, graph, inputs, labels, partial(_say, name))


def _say(name: str, text: str) -> None:
    note(f"{name}: {text} ...")


def _failure(failed: list[Row], count: int, codes: dict[str, int]) -> EdgeTernaryError:
    """Exit code 4 where a bit differs, else 5 where a budget is exceeded, else 1."""
    from edgeternary.budgets.shown import beside, shown

    order = (NOT_BIT_EXACT, *sorted(set(codes.values()) - {NOT_BIT_EXACT}, reverse=True))
    code = next(one for one in order if one in codes.values())
    first = next(row for row in failed if codes[row.verdict] == code)
    remedies: dict[int, Any] = {
        NOT_BIT_EXACT: "edgeternary simulate MODEL --on EXECUTOR --compare names the layer",
        5: "make the model smaller, or change the budget",
        1: "leave out the budget, or name a target that has this figure",
    }
    cells = shown({**asdict(first), "released": None, "difference": None})
    return EdgeTernaryError(
        f"{first.model}: {cells['what']} is {first.verdict}, {beside(cells)}",
        f"{len(failed)} of {count} budgets are not held",
        remedies[code],
        code,
    )
