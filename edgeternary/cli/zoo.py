"""edgeternary zoo: the models that ship, their cards, and a check of what the cards claim."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgeternary.cli._help import verb
from edgeternary.cli._names import ExecutorNames, complete_zoo, listed
from edgeternary.cli._output import (
    json_option,
    markdown_option,
    print_json,
    print_rows,
    progress_bars,
    until_interrupted,
    write_text,
)
from edgeternary.cli._record import defaulted, record
from edgeternary.cli._tools import OBJECTIVES, compiler_option, level_option
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError

CHECKED = ("accuracy", "samples", "mismatches_torch")
COMPILED = (
    "name", "executor", "optimize", "samples", "mismatches", "accuracy", "instructions", "cycles",
    "flash_bytes", "ram_bytes", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """What is compared with numpy: executors, plans by what they are chosen for, samples; the compiler."""

    on: tuple[str, ...] | None
    optimize: str
    samples: int
    compiler: str
    opt_level: str


compared_options = record(
    "compared",
    Compared,
    click.option(
        "--on",
        type=ExecutorNames(),
        metavar="LIST",
        help="Executors that are compared: host,m4.",
    ),
    defaulted("--optimize", default=",".join(OBJECTIVES), metavar="LIST", help="Plans for --on."),
    defaulted("--samples", type=click.IntRange(1), default=1000, help="Samples for --on."),
    compiler_option,
    level_option,
)


@verb()
@click.argument("name", required=False, shell_complete=complete_zoo)
@click.option("--check", "checked", is_flag=True, help="Recompute the card on the full test set.")
@markdown_option
@compared_options
@json_option
def command(
    name: str | None, checked: bool, markdown: Path | None, compared: Compared, as_json: bool
) -> None:
    """List the models that ship, or show the card of NAME.

    Elsewhere they are called zoo:NAME. --check compares torch's eval mode with the integer graph, all
    outputs of all test samples; it needs torch and the data set. --on needs neither: it compares generated C
    with numpy, all outputs of the samples that ship, once for each plan. Exit code 4 where one differs;
    without NAME every model is checked.

    \b
    Example:
      edgeternary zoo fashion-cnn --on host,m4
    """
    from edgeternary import zoo

    name = name.removeprefix("zoo:") if name else None
    if name is not None:
        zoo.file(name, "et")  # refuses an unknown name
    names = [name] if name else list(zoo.names())
    if markdown:
        from edgeternary.report.zoo_page import zoo_page

        write_text(markdown, zoo_page())
    if checked:
        _check(names, as_json)
    if compared.on is not None:
        _compare(names, compared, as_json)
    if markdown or checked or compared.on is not None:
        return
    if name:
        _show(name, as_json)
    else:
        _list(as_json)


def _objectives(text: str) -> list[str]:
    found = list(listed(text))
    wrong = [name for name in found if name not in OBJECTIVES]
    if wrong or not found:
        what, remedy = (
            f"cannot optimize for {', '.join(wrong)[:40]!r}",
            f"use some of {', '.join(OBJECTIVES)}",
        )
        raise EdgeTernaryError(what, "", remedy, USAGE)
    return found


def _compare(names: list[str], compared: Compared, as_json: bool) -> None:
    """Rows of every model, executor and objective; the error (exit code 4) names the first that differs."""
    from edgeternary.zoo.compiled import check_compiled

    executors, objectives = list(compared.on or ()), _objectives(compared.optimize)
    tools: dict[str, object] = {"compiler": compared.compiler, "opt_level": compared.opt_level}
    with progress_bars() as progress:
        moved = lambda text, done, total: progress(text, done, total, "zoo")  # noqa: E731
        rows, end = until_interrupted(
            row
            for name in names
            for row in check_compiled(name, executors, objectives, compared.samples, tools, moved)
        )
    print_rows(rows, COMPILED, as_json)
    wrong = [row for row in rows if row["mismatches"]]
    if wrong:
        row = wrong[0]
        how = f"--on {row['executor']} --optimize {row['optimize']} --compare"
        raise EdgeTernaryError(
            f"{row['name']} is not bit-exact on {row['executor']} when optimized for {row['optimize']}: "
            f"{row['mismatches']:,} of {row['samples']:,} samples differ",
            f"{len(wrong)} of {len(rows)} comparisons found a difference",
            f"edgeternary simulate zoo:{row['name']} {how} names the layer",
            NOT_BIT_EXACT,
        )
    end()


def _list(as_json: bool) -> None:
    from edgeternary.report.zoo import zoo_rows

    rows = zoo_rows()
    print_rows(rows, tuple(rows[0]) if rows else (), as_json)


def _show(name: str, as_json: bool) -> None:
    from edgeternary import zoo
    from edgeternary.report.tables import wrapped
    from edgeternary.report.zoo import zoo_row

    card, row = zoo.card(name), zoo_row(name)
    content: dict[str, Any] = {**card, **row}
    if as_json:
        print_json(content)
        return
    for key, value in content.items():
        if isinstance(value, dict):
            click.echo(f"{key}:")
            for line in _lines(value):
                click.echo(wrapped(f"  {line}", 6))
        elif value is not None and not (isinstance(value, list) and value and isinstance(value[0], list)):
            click.echo(wrapped(f"{key}: {value}", 6))


def _lines(table: dict[str, Any], prefix: str = "") -> list[str]:
    """One line an entry; nested tables as a.b."""
    found: list[str] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _lines(value, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key} = {value}")
    return found


def _check(names: list[str], as_json: bool) -> None:
    from edgeternary import zoo
    from edgeternary.zoo.check import check

    with progress_bars() as progress:
        rows, end = until_interrupted(
            {"name": name, "data": zoo.data_set(name), **check(name, progress)} for name in names
        )
    for row in rows:
        row["card_accuracy"] = zoo.card(row["name"]).get("test_accuracy")
    shown = rows if len(rows) != 1 else rows[0]
    print_rows(shown, ("name", "data", *CHECKED, "card_accuracy"), as_json)
    for row in rows:
        _refuse(row)
    end()


def _refuse(row: dict[str, Any]) -> None:
    """EdgeTernaryError for a mismatch (code 4) and for a card with another accuracy (code 1)."""
    name = row["name"]
    if row["mismatches_torch"]:
        raise EdgeTernaryError(
            f"{name} is not bit-exact: {row['mismatches_torch']:,} of {row['samples']:,} samples differ",
            "torch's eval mode and the integer graph answer differently",
            f"edgeternary simulate zoo:{name} --on torch --compare names the layer",
            NOT_BIT_EXACT,
        )
    if round(row["accuracy"], 4) != row["card_accuracy"]:
        raise EdgeTernaryError(
            f"the card of {name} claims an accuracy of {row['card_accuracy']}, it is {row['accuracy']:.4f}",
            "card and model were not made by one run, or the test set is another",
            "copy .et, .json and .safetensors of one run",
        )
