"""The plot: bars of the ratio of int8's instructions to ours, one panel a core, on a logarithmic axis."""

from collections.abc import Sequence
from math import log2
from typing import Any

from edgeternary.bench.rows import Row
from edgeternary.templating import render

TITLE = "Instructions of CMSIS-NN int8 / ours (right of the line: fewer than int8)"
COLOURS = ("#1b6ca8", "#e07b39", "#4f9d69", "#8e5ea2", "#c0392b", "#888888")
LOW, HIGH = -2, 6  # ratios from 2^LOW to 2^HIGH
LEFT, TOP, PANEL, GAP, BAR, SPACE = 210, 66, 250, 26, 7, 8


def svg(rows: Sequence[Row]) -> str:
    """An SVG document of all rows that have a ratio."""
    shown = [row for row in rows if row["ratio"]]
    names, modes, cores = (
        list(dict.fromkeys(row[key] for row in shown)) for key in ("layer", "mode", "core")
    )
    group = BAR * len(modes) + SPACE
    panels: list[dict[str, Any]] = []
    for number, core in enumerate(cores):
        bars = [_bar(row, names, modes, group) for row in shown if row["core"] == core]
        panels.append({"name": core, "x": LEFT + number * (PANEL + GAP), "bars": bars})
    depth = group * len(names)
    fields = {
        "title": TITLE, "width": LEFT + len(cores) * (PANEL + GAP), "height": TOP + depth + 24,
        "left": LEFT, "top": TOP, "depth": depth,
        "keys": [{"name": m, "x": LEFT + 130 * i, "colour": _colour(i)} for i, m in enumerate(modes)],
        "ticks": [{"x": _x(2.0**e), "text": f"{2.0**e:g}x", "one": e == 0} for e in range(LOW, HIGH + 1)],
        "labels": [{"name": name, "y": TOP + group * (i + 0.5)} for i, name in enumerate(names)],
        "panels": panels,
    }  # fmt: skip
    return render("report/ratios.svg.j2", fields).removesuffix("\n")


def _bar(row: Row, names: list[str], modes: list[str], group: int) -> dict[str, Any]:
    """From the line of equality to the ratio."""
    start, end = sorted((_x(1.0), _x(row["ratio"])))
    number = modes.index(row["mode"])
    return {
        "x": start,
        "y": group * names.index(row["layer"]) + SPACE // 2 + BAR * number,
        "width": round(end - start, 1),
        "height": BAR - 1,
        "colour": _colour(number),
        "text": f"{row['layer']} {row['mode']}: {row['ratio']:.2f}x",
    }


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _x(ratio: float) -> float:
    share = (log2(ratio) - LOW) / (HIGH - LOW)
    return round(PANEL * min(max(share, 0.0), 1.0), 1)
