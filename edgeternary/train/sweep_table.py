"""The results of a sweep: mean and standard deviation over seeds, as rows and as Markdown."""

import json
import statistics
from collections.abc import Sequence
from typing import Any

from edgeternary.templating import render
from edgeternary.train.interval import interval, told
from edgeternary.train.sweep import SEED, Run

FOLD = "data.fold"
Row = dict[str, Any]
Table = tuple[Sequence[object], Sequence[Sequence[object]]]  # the head, and the cells of each line
FIGURES = {
    "accuracy": "test_accuracy",
    "validation": "validation_accuracy",
    "float_accuracy": "float_accuracy",
}


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """One row for each combination of values other than the seed. Runs without a card are left out.

    A row is {axis: value, ..., "runs", "accuracy", "spread", "least", "most", "validation", "float_accuracy",
    "sparsity", "seconds"}. accuracy is the mean, 0..1. spread is the standard deviation (n - 1) over the
    runs,
    None for one run. least and most are the extremes of the accuracy. The other figures are means.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(json.dumps(_axes(run)), []).append(run)
    rows = []
    for members in groups.values():
        cards = [card for run in members if (card := run.card()) is not None]
        if not cards:
            continue
        found = [card["test_accuracy"] for card in cards]
        row: Row = {**_axes(members[0]), "runs": len(cards)}
        for name, key in FIGURES.items():
            row[name] = _mean([card[key] for card in cards])
        row["spread"] = statistics.stdev(found) if len(found) > 1 else None
        row["least"], row["most"] = min(found), max(found)
        row["sparsity"] = _mean([card["zero_weights"] / card["weights"] for card in cards])
        row["seconds"] = _mean([card["seconds"] for card in cards])
        rows.append(row)
    return rows


def markdown(title: str, runs: Sequence[Run]) -> str:
    """Test accuracy of the integer graph in %, mean +- standard deviation. Two axes are rows and columns."""
    rows = rows_of(runs)
    axes = list(_axes(runs[0])) if runs else []
    head, lines = _grid(rows, *axes) if len(axes) == 2 else _list(rows, axes)
    seeds = max((row["runs"] for row in rows), default=0)
    folds = cross_validated(runs)
    content = {"title": title, "seeds": seeds, "head": head, "lines": lines}
    return render("report/sweep.md.j2", {**content, "folds": of_folds(folds) if folds else ""})


def cross_validated(runs: Sequence[Run]) -> Row | None:
    """The accuracy over the folds of a sweep that has no other axis but seeds; None for fewer than two folds.

    {"folds", "accuracy", "spread", "samples", "low", "high"}. accuracy is that on the samples of all folds,
    each of which tested once a seed; spread is the standard deviation over the folds; samples counts those of
    one seed; low and high are the 95 % interval.
    """
    if any(set(_axes(run)) != {FOLD} for run in runs):
        return None
    found: dict[object, list[Row]] = {}
    for run in runs:
        if (card := run.card()) is not None:
            found.setdefault(_axes(run)[FOLD], []).append(card)
    if len(found) < 2:
        return None
    accuracies = [statistics.fmean(card["test_accuracy"] for card in cards) for cards in found.values()]
    sizes = [cards[0]["test_samples"] for cards in found.values()]
    samples, spread = sum(sizes), statistics.stdev(accuracies)
    accuracy = sum(a * n for a, n in zip(accuracies, sizes, strict=True)) / samples
    low, high = interval(accuracy, samples)
    counted = {"folds": len(found), "samples": samples}
    return {**counted, "accuracy": accuracy, "spread": spread, "low": low, "high": high}


def of_folds(row: Row) -> str:
    """What `cross_validated` found, in a sentence."""
    accuracy, samples = row["accuracy"], row["samples"]
    mean = f"{100 * accuracy:.2f} ± {100 * row['spread']:.2f} %"
    return f"{row['folds']} folds: {mean} of {samples:,} samples; {told(accuracy, samples)}."


def cell(row: Row) -> str:
    """The mean accuracy in %, and its standard deviation if there is one."""
    spread = row["spread"]
    return f"{100 * row['accuracy']:.2f}" + ("" if spread is None else f" ± {100 * spread:.2f}")


def _list(rows: Sequence[Row], axes: Sequence[str]) -> Table:
    lines: list[Sequence[object]] = []
    for row in rows:
        ends = [f"{100 * row[key]:.2f}" for key in ("least", "most")]
        lines.append([*(row[axis] for axis in axes), row["runs"], cell(row), *ends])
    return [*(axis.rpartition(".")[2] for axis in axes), "runs", "accuracy", "least", "most"], lines


def _grid(rows: Sequence[Row], down: str, across: str) -> Table:
    columns = list(dict.fromkeys(row[across] for row in rows))
    names = [name.rpartition(".")[2] for name in (down, across)]
    lines: list[Sequence[object]] = []
    for value in dict.fromkeys(row[down] for row in rows):
        found = {row[across]: cell(row) for row in rows if row[down] == value}
        lines.append([value, *(found.get(column, "") for column in columns)])
    return [" \\ ".join(names), *columns], lines


def _axes(run: Run) -> dict[str, Any]:
    """The values of all axes but the seed. Lists are texts, so that they can be keys."""
    shown = {key: value for key, value in run.values.items() if key != SEED}
    return {
        key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in shown.items()
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
