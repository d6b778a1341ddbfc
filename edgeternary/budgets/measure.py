"""A model's figures beside its budget, one row for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeternary.budgets.table import Budget
from edgeternary.build.project import Project, compile
from edgeternary.cores import full_name
from edgeternary.errors import BAD_INPUT, DOES_NOT_FIT, NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.report.rows import MIN_ACCURACY_SAMPLES, accuracy
from edgeternary.run import run
from edgeternary.run.compare import compare

HELD, EXCEEDED, WRONG, UNKNOWN = "held", "exceeded", "not bit-exact", "not measured"
CODES = {EXCEEDED: DOES_NOT_FIT, WRONG: NOT_BIT_EXACT, UNKNOWN: BAD_INPUT}
FIGURES = {"max_cycles": "cycles", "max_flash": "flash_bytes", "max_ram": "ram_bytes", "max_luts": "luts"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One budget.

    what      cycles, flash_bytes, ram_bytes, luts, accuracy (a share), or "exact EXECUTOR" (samples that
              differ); `measured` and `budget` have its unit
    verdict   HELD, EXCEEDED, WRONG or UNKNOWN, with a reason in `why`
    """

    model: str
    what: str
    measured: float | None
    budget: float
    verdict: str
    why: str = ""


def rows(
    name: str, budget: Budget, graph: Graph, inputs: np.ndarray | None, labels: np.ndarray | None, say: Say
) -> Iterator[Row]:
    """The rows of a model. EdgeTernaryError: code 3 where a tool is missing.

    inputs  (samples, *shape), for accuracy and exactness;  labels  of them, or None
    """
    if budget.limits:
        yield from _limited(name, budget, graph, say)
    if inputs is None:
        return
    if budget.min_accuracy is not None:
        say("accuracy")
        yield _accurate(name, budget.min_accuracy / 100, graph, inputs, labels)
    if budget.exact is not None:
        for executor in budget.exact.on:
            say(f"exactness of {executor}")
            yield _exact(name, executor, graph, inputs[: budget.exact.samples], budget)


def _limited(name: str, budget: Budget, graph: Graph, say: Say) -> Iterator[Row]:
    """Built as compile builds it with these limits; without them where it does not keep them."""
    project, why = None, ""
    for limited in (True, False):
        try:
            project = _built(budget, graph, say, limited)
            break
        except EdgeTernaryError as error:
            if error.code != DOES_NOT_FIT:
                raise
            why = why or error.what
    for key, most in budget.limits.items():
        word = FIGURES[key]
        found = project.measured.get(word) if project else None
        if found is None:
            reason = why or str((project.measured if project else {}).get("timing") or "the target has none")
            yield Row(name, word, None, most, EXCEEDED if project is None else UNKNOWN, reason)
        else:
            over = found > most
            yield Row(name, word, found, most, EXCEEDED if over else HELD, why if over else "")


def _built(budget: Budget, graph: Graph, say: Say, limited: bool) -> Project:
    kept = budget.limits if limited and not budget.hardware else {}
    wanted = Constraints(fps=budget.fps or 0) if budget.hardware else Constraints()
    return compile(
        graph,
        core=budget.core,
        board=budget.board,
        device=budget.device,
        build=True,
        compiler=budget.compiler,
        opt_level=budget.opt_level,
        optimize=budget.optimize,
        hardware=wanted,
        progress=say,
        max_flash=kept.get("max_flash"),
        max_ram=kept.get("max_ram"),
        max_cycles=kept.get("max_cycles"),
    )


def _accurate(name: str, least: float, graph: Graph, inputs: np.ndarray, labels: np.ndarray | None) -> Row:
    found = accuracy(run(graph, inputs).outputs, labels)
    if found is None:
        why = f"it takes {MIN_ACCURACY_SAMPLES:,} samples with labels and a vector of classes"
        return Row(name, "accuracy", None, least, UNKNOWN, why)
    return Row(name, "accuracy", found, least, HELD if found >= least else EXCEEDED)


def _exact(name: str, executor: str, graph: Graph, inputs: np.ndarray, budget: Budget) -> Row:
    tools: dict[str, Any] = {
        "compiler": budget.compiler, "opt_level": budget.opt_level, "optimize": budget.optimize
    }  # fmt: skip
    (found,) = compare(graph, inputs, [full_name(executor)], options={full_name(executor): tools})
    wrong = found.mismatches or 0
    return Row(name, f"exact {executor}", wrong, 0, WRONG if wrong else HELD, str(found.difference or ""))
