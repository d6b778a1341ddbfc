"""One row per executor, in the words for quantities that every report uses."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeternary.run.compare import Comparison

MIN_ACCURACY_SAMPLES = 1000


def row(comparison: Comparison, labels: np.ndarray | None = None) -> dict[str, Any]:
    """executor, samples, mismatches, accuracy (from 1,000 labelled samples up), then the executor's figures.

    samples     that were run
    mismatches  samples whose complete output tensor differs; None when nothing was compared
    """
    content: dict[str, Any] = {
        "executor": comparison.executor,
        "samples": comparison.samples,
        "mismatches": comparison.mismatches,
    }
    share = accuracy(comparison.result.outputs, labels)
    if share is not None:
        content["accuracy"] = share
    content.update(comparison.result.stats)
    return content


def accuracy(outputs: Any, labels: np.ndarray | None) -> float | None:
    """Share of right classes; None without labels, below 1,000 samples, and for what is no single vector.

    outputs (samples, classes), or (samples, steps, classes): the last step answers.
    """
    if isinstance(outputs, Mapping):
        return None
    if outputs.ndim == 3 and outputs.shape[1] and labels is not None and labels.ndim == 1:
        outputs = outputs[:, -1]
    if labels is None or len(outputs) < MIN_ACCURACY_SAMPLES or outputs.ndim != 2:
        return None
    classes = outputs[:, 0] if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    return float(np.mean(classes == labels))
