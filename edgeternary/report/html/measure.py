"""What can be counted and compared after a model was planned: cycles of its steps, exactness, accuracy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeternary.build.c_project import COUNTED
from edgeternary.build.project import Project
from edgeternary.ir import Graph
from edgeternary.report.html.accuracy import of_outputs
from edgeternary.report.html.document import Document, with_measured
from edgeternary.report.rows import row
from edgeternary.run import run
from edgeternary.run.compare import REFERENCE, Comparison, joined, mismatches
from edgeternary.run.result import Result

SHOWN = ("cycles", "latency")  # of a simulation, beside its comparison
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Samples:
    """Codes (samples, ...) in their joined form, and labels where there are some."""

    inputs: np.ndarray
    labels: np.ndarray | None


def measured(
    found: Document,
    project: Project,
    samples: Samples,
    on: Sequence[str],
    options: Mapping[str, object],
    progress: Progress,
) -> Document:
    """The document with what executors count and answer, each compared with numpy.

    on  executors; the core that C was planned for runs that plan, and its cycles are those of the report
    """
    graph = project.model
    assert graph is not None
    stats: dict[str, Any] = {}
    counted: list[dict[str, Any]] = []
    expected = run(graph, samples.inputs, on=REFERENCE)
    rows = [_row(graph, REFERENCE, expected, expected, samples)]
    for name in on:
        if name == REFERENCE:
            continue
        own = {**options, "progress": lambda done, total, name=name: progress(name, done, total)}
        result = _run(project, graph, name, samples.inputs, own)
        rows.append(_row(graph, name, expected, result, samples))
        if project.plan and name == project.plan.core.name:
            stats = {word: value for word, value in result.stats.items() if value is not None}
            by_step = {layer["step"]: layer for layer in result.layers if "step" in layer}
            counted = [
                {word: by_step[k][word] for word in COUNTED if word in by_step.get(k, {})}
                for k in range(len(project.plan.calls))
            ]
        elif not project.plan and not project.on:  # on a board the design is planned for its link, too
            stats |= {word: result.stats[word] for word in SHOWN if result.stats.get(word) is not None}
    source = "of the integer graph, run for this page"
    right = None if graph.several else of_outputs(expected.outputs, samples.labels, graph, source)
    return with_measured(found, stats, counted, rows, right)


def _run(
    project: Project, graph: Graph, name: str, inputs: np.ndarray, options: Mapping[str, object]
) -> Result:
    if project.plan and name == project.plan.core.name and not project.plan.core.native:
        from edgeternary.run.cortex_m import run_plan

        board = {"board": project.on.file} if project.on else {}
        return run_plan(project.plan, inputs, options={**options, **board})
    return run(graph, inputs, on=name, options=options)


def _row(graph: Graph, name: str, expected: Result, found: Result, samples: Samples) -> dict[str, Any]:
    """As `simulate --compare --json` prints it, and `digest`: SHA-256 of the outputs as int32."""
    wanted, answers = joined(graph, expected.outputs), joined(graph, found.outputs)
    wrong = int(mismatches(wanted, answers).size)
    outputs = hashlib.sha256(np.ascontiguousarray(answers, "<i4").tobytes()).hexdigest()
    return {**row(Comparison(name, len(answers), found, wrong), samples.labels), "digest": outputs}
