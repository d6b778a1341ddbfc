"""Executors: one file each, one call signature, the same bits.

The file `cortex_m.py` answers to every name that starts with `cortex-m`; what follows is its target. An
executor has `run`, which takes all inputs at once, and where it can `open`, which takes them step by step.
"""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edgeternary.cores import CORTEX_M
from edgeternary.errors import USAGE, EdgeTernaryError, nearest
from edgeternary.ir import Graph
from edgeternary.ir.ports import join, split
from edgeternary.run import _jobs as jobs
from edgeternary.run._known import check_options
from edgeternary.run.inputs import by_name, check_inputs
from edgeternary.run.result import Result, Session, Stat
from edgeternary.toolchains import extras

NOT_EXECUTORS = ("result", "inputs", "compare")


@cache
def executors() -> dict[str, str]:
    """Executor prefix (as typed) to module name, for every executor file in this folder."""
    stems = [path.stem for path in Path(__file__).parent.glob("[a-z]*.py")]
    return {stem.replace("_", "-"): stem for stem in sorted(stems) if stem not in NOT_EXECUTORS}


def run(
    graph: Graph,
    inputs: Any,
    *,
    on: str = "numpy",
    taps: bool = False,
    options: Mapping[str, object] | None = None,
) -> Result:
    """Run `graph` on the executor called `on` (numpy, host, cortex-m4, qemu:mps2_an385, hdl, ...).

    inputs  integer codes (samples, *shape), or (samples, steps, *shape) for a graph with states; of several
            inputs a tuple of such arrays, in order, or a mapping by name
    taps    also return the values at kernel or part borders
    options of the executor, those of other executors are left alone; `progress` is a callable (done, total);
            `jobs` is a number of processes, which share the samples on numpy, host and cortex-m without taps
    EdgeTernaryError: code 2 for an unknown executor, 3 where a tool or an extra of the package is missing.
    """
    module, target = find(on)
    codes, known = check_inputs(graph, inputs), check_options(options)
    with extras.named():
        processes = 1 if taps else jobs.shared(module, known)
        if processes > 1 and len(codes) > 1:
            result = jobs.run(module, graph, codes, target, processes, known)
        else:
            result = module.run(graph, codes, target=target, taps=taps, options=known)
    return replace(result, outputs=shown(graph, result.outputs)) if len(graph.outputs) > 1 else result


def shown(graph: Graph, outputs: np.ndarray) -> Any:
    """Outputs as a user sees them: one array, or a dict by name of several."""
    return split(graph.output_values, outputs) if len(graph.outputs) > 1 else outputs


@dataclass(frozen=True)
class _Several:
    """A session of a graph with several inputs or outputs."""

    graph: Graph
    session: Session

    @property
    def stats(self) -> dict[str, Stat]:
        return self.session.stats

    def step(self, codes: Any) -> Any:
        named = by_name(self.graph, codes)
        joined = join(self.graph.inputs, {name: np.asarray(given) for name, given in named.items()})
        return shown(self.graph, self.session.step(joined))


@contextmanager
def open_session(graph: Graph, on: str, options: Mapping[str, object] | None = None) -> Iterator[Session]:
    """A model one step at a time, where the next input may depend on the last answer:

        with open_session(graph, "cortex-m4") as session:
            logits = session.step(codes)

    Every state has its initial content at first and is kept from one `step` to the next. `on` and `options`
    are those of `run`. EdgeTernaryError for a graph without states where they are all that is kept, and
    (exit code 2) for an executor that takes all inputs at once.
    """
    module, target = find(on)
    if not hasattr(module, "open"):
        raise EdgeTernaryError(
            f"{on[:40]!r} cannot run step by step",
            "it takes all inputs at once",
            f"use one of {', '.join(_openers())}",
            USAGE,
        )
    if not graph.states and not getattr(module, "STATELESS", False):
        raise EdgeTernaryError(
            f"model {graph.name!r} keeps nothing between steps",
            "it has no states, so every answer depends on one input alone",
            "use edgeternary simulate",
        )
    with extras.named(), module.open(graph, target=target, options=check_options(options)) as session:
        yield _Several(graph, session) if graph.several else session


def _openers() -> Iterator[str]:
    """The executors that run step by step, among those whose packages are here."""
    for name, stem in executors().items():
        try:
            if hasattr(importlib.import_module(f"edgeternary.run.{stem}"), "open"):
                yield name
        except ImportError:
            continue


def find(on: str) -> tuple[ModuleType, str]:
    """The module of the executor called `on`, and its target. EdgeTernaryError (exit code 2) lists them.

    A module may say TARGETED (it takes a target), WAVES (suffixes of the wave files that it writes), SHARED
    (processes may share its samples),
    TAPPED_BY (the executor of the same hardware that has taps) and STATELESS (its sessions keep a model
    without states alive, too).
    """
    matches = [prefix for prefix in executors() if on.startswith(prefix)]
    if not matches:
        raise EdgeTernaryError(
            f"unknown executor {on[:40]!r}",
            f"known are {', '.join(executors())}",
            nearest(on.split(":")[0], [*executors(), *CORTEX_M], "see docs/cli.md"),
            USAGE,
        )
    prefix = max(matches, key=len)
    with extras.named():
        module = importlib.import_module(f"edgeternary.run.{executors()[prefix]}")
    target = on[len(prefix) :].removeprefix(":")
    if target and not getattr(module, "TARGETED", False):
        raise EdgeTernaryError(
            f"unknown executor {on[:40]!r}", f"{prefix} takes no target", f"use {prefix}", USAGE
        )
    return module, target
