"""Checked budgets as rows of a table, as Markdown, and as test cases."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from edgeternary.budgets.measure import HELD, Row
from edgeternary.report.junit import Case
from edgeternary.report.tables import HEADS, cell

COLUMNS = ("model", "what", "measured", "budget", "difference", "verdict")
Figures = Mapping[str, Mapping[str, float]]


def data(row: Row, released: Figures) -> dict[str, Any]:
    """A row with `released`, the figure of the last release, and `difference` to it; None without one."""
    last = released.get(row.model, {}).get(row.what)
    known = last is not None and row.measured is not None
    return {**asdict(row), "released": last, "difference": row.measured - last if known else None}  # type: ignore[operator]


def shown(row: Mapping[str, Any]) -> dict[str, str]:
    """The cells of a row."""
    what, last, change = row["what"], row["released"], row["difference"]
    difference = ""
    if change is not None:
        share = f" ({change / last:+.1%})" if last and change and what != "accuracy" else ""
        difference = "=" if not change else f"{_number(change, what, sign=True)}{share}"
    return {
        "model": row["model"],
        "what": HEADS.get(what, what),
        "measured": "" if row["measured"] is None else _number(row["measured"], what),
        "budget": _number(row["budget"], what),
        "difference": difference,
        "verdict": row["verdict"],
    }


def _number(figure: float, what: str, sign: bool = False) -> str:
    if what == "accuracy":
        return f"{figure:+.2%}" if sign else f"{figure:.2%}"
    text = cell(round(figure))
    return f"+{text}" if sign and figure > 0 else text


def beside(cells: Mapping[str, str]) -> str:
    """What was measured and what is allowed, of the cells of a row."""
    return f"{cells['measured'] or 'nothing'} measured, {cells['budget']} allowed"


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A summary as GitHub shows it at the end of a run."""
    failed = [row for row in rows if row["verdict"] != HELD]
    title = f"{len(failed)} of {len(rows)} budgets are not held" if failed else "All budgets are held"
    lines = [f"### {title}", "", f"| {' | '.join(COLUMNS)} |", "|---|---|--:|--:|--:|---|"]
    for row in rows:
        cells = [_plain(shown(row)[key]) for key in COLUMNS]
        if row["verdict"] != HELD:
            cells[-1] = f"**{cells[-1]}**"
        lines.append(f"| {' | '.join(cells)} |")
    whys = (f"{row['model']}, {row['what']}: {row['why']}" for row in failed if row["why"])
    lines += ["", *(f"* {_plain(why)}" for why in whys)]
    return "\n".join(lines).rstrip() + "\n"


def _plain(text: str) -> str:
    """A text of the user's as one line of Markdown that is neither HTML, nor a link, nor a cell's end."""
    line = html.escape(" ".join(text.split()), quote=False)
    return line.replace("|", "\\|").replace("[", "\\[").replace("](", "]\\(")


def cases(rows: Sequence[Mapping[str, Any]]) -> list[Case]:
    """A test case for each row."""
    found = []
    for row in rows:
        texts = shown(row)
        figures = beside(texts)
        failure = "" if row["verdict"] == HELD else row["verdict"]
        found.append(
            Case(f"edgeternary.{row['model']}", row["what"], failure, figures, row["why"] or figures)
        )
    return found
