"""Compares the generated C of zoo models with numpy, for each objective of the kernel selection."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from edgeternary import zoo
from edgeternary.c.select import OBJECTIVES
from edgeternary.run import run
from edgeternary.run.compare import mismatches

Progress = Callable[[str, int, int], None]


def check_compiled(
    name: str,
    executors: Sequence[str],
    objectives: Sequence[str] = OBJECTIVES,
    samples: int = zoo.SAMPLES,
    options: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields a row for each objective and executor.

    samples   the number of shipped samples that are run, at most
    options   the options of the executors
    progress  called with (model, executor and objective; done; total)
    In a row, mismatches counts the samples whose complete output differs from numpy's.
    """
    graph, inputs = zoo.load(name), zoo.images(name)[0][:samples]
    expected = run(graph, inputs).outputs
    for objective in objectives:
        for executor in executors:
            own: dict[str, object] = {"timeout": 7200.0, **(options or {}), "optimize": objective}
            if progress:
                text = f"{name} {executor} {objective}"
                own["progress"] = lambda done, total, text=text: progress(text, done, total)
            start = time.monotonic()
            found = run(graph, inputs, on=executor, options=own)
            yield {
                "name": name, "executor": executor, "optimize": objective, "samples": len(inputs),
                "mismatches": int(mismatches(expected, found.outputs).size),
                "accuracy": _accuracy(name, found.outputs), "instructions": found.stats.get("instructions"),
                "cycles": found.stats.get("cycles"), "flash_bytes": found.stats.get("flash_bytes"),
                "ram_bytes": found.stats.get("ram_bytes"), "compiler": found.stats.get("compiler"),
                "seconds": round(time.monotonic() - start, 1),
            }  # fmt: skip


def _accuracy(name: str, outputs: np.ndarray) -> float | None:
    """The accuracy on all shipped samples; None if only a part of them was run."""
    labels = zoo.images(name)[1]
    if len(outputs) < len(labels):
        return None
    return float(np.mean(outputs.reshape(len(outputs), -1).argmax(1) == labels))
