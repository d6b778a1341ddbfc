"""Samples of a text file: one a row, its numbers separated by commas, semicolons, tabs or spaces."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.ir import Graph

SUFFIXES = (".csv", ".tsv", ".txt")


def read_csv(
    path: Path, graph: Graph | None, label_keys: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples in the shape of the graph's input, and labels, from the column that a first row names so.

    The numbers of a row are in the order of the input, its last axis fastest; of a graph with states they are
    one step after the other. EdgeTernaryError names the line that is not such a row.
    """
    import numpy as np

    if graph and len(graph.inputs) > 1:
        raise EdgeTernaryError(
            f"{path.name} holds one input, and model {graph.name!r} takes several",
            "a row of text has no names for them",
            "save an array for each input with numpy.savez",
        )
    rows = _rows(path)
    names: list[str] = []
    if rows and _numbers(rows[0][1]) is None:
        names = [word.strip("\"'").lower() for word in rows.pop(0)[1]]
    if names and rows and len(names) != len(rows[0][1]):
        why = f"{len(names)} names, and {len(rows[0][1])} numbers in the row below"
        raise EdgeTernaryError(
            f"the first row of {path} does not name its columns", why, "name each, or none"
        )
    if not rows:
        raise EdgeTernaryError(f"{path} holds no rows of numbers", "", "write one sample a row")
    values = np.array([_row(path, line, words, rows[0][1]) for line, words in rows], np.float64)
    column = next((names.index(key) for key in label_keys if key in names), None)
    labels = None
    if column is not None:
        labels = values[:, column].astype(np.int64)
        values = np.delete(values, column, axis=1)
    if graph:
        values = values.reshape(_shape(path, graph, values.shape[1], len(values)))
    return values, labels


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(number, words) of each line that is not empty and no remark."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise EdgeTernaryError(f"{path} is no text", str(error), "save it as UTF-8") from error
    kept = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    return [(n, re.split(r"\s*[,;\t]\s*|\s+", line)) for n, line in kept if line and line[0] != "#"]


def _numbers(words: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


def _row(path: Path, line: int, words: list[str], first: list[str]) -> list[float]:
    found = _numbers(words)
    if found is None or len(words) != len(first):
        why = "it holds what is no number" if found is None else f"{len(words)} numbers, not {len(first)}"
        raise EdgeTernaryError(
            f"{path}, line {line} is no sample", why, "write the numbers of one sample a row"
        )
    return found


def _shape(path: Path, graph: Graph, numbers: int, samples: int) -> tuple[int, ...]:
    size, shape = math.prod(graph.input.shape), graph.input.shape
    if graph.states and numbers and numbers % size == 0:
        return (samples, numbers // size, *shape)
    if numbers != size or graph.states:
        expected = "x".join(map(str, shape)) + (" for each step" if graph.states else "")
        raise EdgeTernaryError(
            f"{path.name} has {numbers} numbers a row",
            f"a sample of {graph.name!r} has {size:,} ({expected})",
            "write one sample a row, and name a column of labels in a first row: label",
        )
    return (samples, *shape)
