"""Compares all outputs of a zoo model in torch with those of its integer graph, on the whole test set.

This needs torch and the data set.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeternary import zoo
from edgeternary.run import run
from edgeternary.run.compare import mismatches
from edgeternary.run.inputs import arranged
from edgeternary.toolchains import extras

Progress = Callable[[str, int, int], None]


def full_test_set(name: str) -> tuple[np.ndarray, np.ndarray]:
    """All test samples (n, H, W, C) of the model's data set, and their labels (n,).

    EdgeTernaryError if the data set or torch is not installed.
    """
    with extras.named():
        from edgeternary.train.data import TEST_PARTS
        from edgeternary.train.find import find_recipe
    alone = TEST_PARTS.get(zoo.data_set(name))
    return alone() if alone else find_recipe(f"zoo:{name}").data().test


def check(name: str, progress: Progress | None = None) -> dict[str, Any]:
    """{"accuracy", "samples", "mismatches_torch"} of model `name`, computed now.

    mismatches_torch counts the samples for which any logit of the torch model differs from the graph's. The
    recipe builds the torch model, which loads the weights that ship. progress is called with (model and
    executor, done, total).
    """
    graph, (samples, labels) = zoo.load(name), full_test_set(name)
    inputs = arranged(graph, samples)
    answers = {}
    for executor in ("numpy", "torch"):
        options: dict[str, object] = {}
        if progress:
            options["progress"] = lambda done, total, on=executor: progress(f"{name} {on}", done, total)
        answers[executor] = run(graph, inputs, on=executor, options=options).outputs
    return {
        "accuracy": float(np.mean(answers["numpy"].argmax(1) == labels)),
        "samples": len(samples),
        "mismatches_torch": int(mismatches(answers["torch"], answers["numpy"]).size),
    }
