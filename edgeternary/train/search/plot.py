"""The front of a search as SVG: accuracy over cycles, and accuracy over flash."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from edgeternary.templating import render
from edgeternary.train.plots import ticks
from edgeternary.train.search.goals import Goals

PANEL, HEIGHT, GAP = 330, 300, 70
LEFT, TOP, BOTTOM = 56, 64, 48
COLOURS = ("#0a5fb4", "#b45f0a", "#3a8a3a", "#8a3a8a", "#a02828", "#2a8a8a", "#6a6a1a", "#444444")
MARKS = (1, 2, 3, 5, 7)  # of each power of ten of the horizontal axis


def front_plot(title: str, rows: Sequence[Mapping[str, Any]], goals: Goals) -> str:
    """SVG of rows with network, validation, cycles, flash_bytes and front.

    Each network has a colour; its plans are joined by a line. Full circles are on the front, rings are not;
    dashed lines are the goals.
    """
    names = list(dict.fromkeys(row["network"] for row in rows))
    percents = [100 * row["validation"] for row in rows]
    if goals.min_accuracy is not None:
        percents.append(100 * goals.min_accuracy)
    margin = max(0.1, 0.08 * (max(percents) - min(percents)))
    low, high = min(percents) - margin, max(percents) + margin

    def y(percent: float) -> float:
        return round(TOP + (high - percent) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    panels = [
        _panel(rows, names, key, limit, y)
        for key, limit in (("cycles", goals.max_cycles), ("flash_bytes", goals.max_flash))
    ]
    for i, panel in enumerate(panels):
        panel["x"] = LEFT + i * (PANEL + GAP)
    return render(
        "report/front.svg.j2",
        {
            "title": title,
            "width": LEFT + 2 * PANEL + GAP + 16,
            "height": HEIGHT + 16 * len(names) + 12,
            "panels": panels,
            "panel": PANEL,
            "top": TOP,
            "bottom": HEIGHT - BOTTOM,
            "rows": [{"y": y(v), "text": f"{v:g}"} for v in ticks(low, high)],
            "wanted": None if goals.min_accuracy is None else y(100 * goals.min_accuracy),
            "keys": [
                {"text": name, "colour": _colour(i), "y": HEIGHT + 16 * i + 4} for i, name in enumerate(names)
            ],
        },
    )


def _panel(
    rows: Sequence[Mapping[str, Any]], names: list[str], key: str, limit: float | None, y: Any
) -> dict[str, Any]:
    values = [float(row[key]) for row in rows] + ([] if limit is None else [limit])
    low, high = math.log(min(values) * 0.92), math.log(max(values) * 1.08)

    def x(value: float) -> float:
        return round((math.log(value) - low) / (high - low) * PANEL, 1)

    unit, word = (1e6, "million cycles") if key == "cycles" else (1024, "KiB of flash")
    shown = [m * 10.0**e for e in range(-3, 4) for m in MARKS]
    lines = []
    for i, name in enumerate(names):
        own = sorted(
            ((x(row[key]), y(100 * row["validation"]), row) for row in rows if row["network"] == name),
            key=lambda dot: dot[:2],
        )
        dots = [
            {"x": a, "y": b, "full": row["front"], "text": f"{name}: {row['validation']:.2%}, {row[key]:,}"}
            for a, b, row in own
        ]
        lines.append({"colour": _colour(i), "dots": dots, "path": " ".join(f"{a},{b}" for a, b, _ in own)})
    return {
        "lines": lines,
        "columns": [{"x": x(v * unit), "text": f"{v:g}"} for v in shown if low <= math.log(v * unit) <= high],
        "word": word,
        "limit": None if limit is None else x(limit),
    }


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]
