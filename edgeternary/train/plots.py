"""The accuracy curve and the confusion matrix as SVG."""

from collections.abc import Sequence

import numpy as np

from edgeternary.templating import render
from edgeternary.train.checkpoint import Row
from edgeternary.train.data import Array

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 40, 40
CURVES = {"train": "#8a8a8a", "validation": "#0a5fb4"}
CELL = 34
MATRIX_WIDTH = 300  # smallest width, which the title needs
DARK = 0.55  # cells with a larger share of their row have white digits


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers in [low, high], about `count`: steps of 1, 2 or 5 times a power of ten."""
    rough = max(high - low, 1e-9) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    return [float(v) for v in np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step]


def accuracy_curve(title: str, history: Sequence[Row], best_epoch: int = 0) -> str:
    """SVG of training and validation accuracy over epochs. It marks best_epoch unless that is 0."""
    epochs = [row["epoch"] for row in history]
    values = [row[key] * 100 for key in CURVES for row in history]
    low, high = min(values) - 0.5, min(100.0, max(values) + 0.5)
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def x(epoch: float) -> float:
        return round(LEFT + (epoch - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    def y(percent: float) -> float:
        return round(TOP + (high - percent) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    curves = [
        {
            "name": name,
            "color": color,
            "points": " ".join(f"{x(row['epoch'])},{y(row[name] * 100)}" for row in history),
            "last": f"{history[-1][name]:.2%}",
        }
        for name, color in CURVES.items()
    ]
    return render(
        "report/accuracy.svg.j2",
        {
            "title": title,
            "width": WIDTH,
            "height": HEIGHT,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "top": TOP,
            "bottom": HEIGHT - BOTTOM,
            "rows": [{"y": y(v), "text": f"{v:g}"} for v in ticks(low, high)],
            "columns": [{"x": x(e), "text": f"{e:g}"} for e in ticks(first, last) if e == int(e)],
            "curves": curves,
            "best": x(best_epoch) if best_epoch else None,
        },
    )


def confusion_matrix(title: str, counts: Array, labels: Sequence[str]) -> str:
    """SVG of counts (classes, classes), with a row for each label and a column for each answer.

    The shade of a cell is its share of the row.
    """
    names = [name[:14] for name in labels]
    margin = 14 + 7 * max(len(name) for name in names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        {
            "x": margin + column * CELL,
            "y": margin + row * CELL,
            "count": int(counts[row, column]),
            "opacity": f"{shares[row, column]:.3f}",
            "color": "#ffffff" if shares[row, column] > DARK else "#222222",
            "title": f"{labels[row]} answered as {labels[column]}: {counts[row, column]}",
        }
        for row in range(len(names))
        for column in range(len(names))
    ]
    size = max(margin + CELL * len(names) + 12, MATRIX_WIDTH)
    right = int(np.trace(counts))
    subtitle = f"{right:,} of {int(counts.sum()):,} right; rows: label, columns: answer"
    content = {"title": title, "subtitle": subtitle, "size": size, "margin": margin, "cell": CELL}
    return render("report/confusion.svg.j2", {**content, "cells": cells, "names": names})
