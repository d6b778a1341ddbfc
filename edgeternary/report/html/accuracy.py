"""Accuracy and confusion matrix on labelled samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeternary import zoo
from edgeternary.ir import Graph
from edgeternary.ir.file import to_bytes
from edgeternary.report.rows import accuracy

MOST_CLASSES = 64  # of a confusion matrix that is shown


def recorded(graph: Graph) -> dict[str, Any] | None:
    """Of a model of the zoo: torch's recorded answers to the samples that ship. Nothing is run.

    Of any other model that was trained here: the accuracy that training wrote into its file.
    """
    said = _said(graph)
    if not shipped(graph):
        return _alone(said)
    answers, labels = zoo.logits(graph.name)[0], zoo.images(graph.name)[1]
    found = of_outputs(answers, labels, graph, "torch's recorded answers to the samples that ship")
    return found or _alone(said)


def shipped(graph: Graph) -> bool:
    """Whether it is a model of the zoo, bit for bit, and test samples ship with it."""
    if graph.name not in zoo.names() or zoo.file(graph.name, "et").read_bytes() != to_bytes(graph):
        return False
    return zoo.samples_path(zoo.data_set(graph.name)).is_file()


def of_outputs(outputs: Any, labels: np.ndarray | None, graph: Graph, source: str) -> dict[str, Any] | None:
    """accuracy, samples, labels, confusion (a row for each label, a column for each answer), source; None
    where `report.rows.accuracy` gives none.

    outputs  (samples, classes), or (samples, steps, classes): the last step answers
    """
    share = accuracy(outputs, labels)
    if share is None or labels is None:
        return None
    last = outputs[:, -1] if outputs.ndim == 3 else outputs
    answers = last[:, 0] if last.shape[1] == 1 else last.argmax(axis=1)
    names = graph.meta.of_output(graph.output).labels
    count = max(len(names), int(labels.max()) + 1, int(answers.max()) + 1)
    return {
        "accuracy": share,
        "samples": len(labels),
        "labels": [*names, *(str(i) for i in range(len(names), count))],
        "confusion": confusion(labels, answers, count) if count <= MOST_CLASSES else None,
        "source": source,
        "trained": _said(graph),
    }


def confusion(labels: np.ndarray, answers: np.ndarray, count: int) -> list[list[int]]:
    """Samples by label (row) and answer (column)."""
    found = np.zeros((count, count), np.int64)
    np.add.at(found, (labels.astype(np.int64), answers.astype(np.int64)), 1)
    rows: Sequence[list[int]] = found.tolist()
    return list(rows)


def _said(graph: Graph) -> float | None:
    """The test accuracy that training wrote into the model; None without."""
    try:
        share = float(graph.meta.info.get("test_accuracy", ""))
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _alone(said: float | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "accuracy": None, "samples": None, "labels": [], "confusion": None, "source": "", "trained": said
    }  # fmt: skip
