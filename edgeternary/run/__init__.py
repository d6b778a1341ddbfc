"""Executors: one file each, one call signature, the same bits.

The file `cortex_m.py` answers to every name that starts with `cortex-m`; what follows is its target.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run._known import check_options
from edgeternary.run.inputs import check_inputs
from edgeternary.run.result import Result
from edgeternary.toolchains import extras

NOT_EXECUTORS = ("result", "inputs", "compare")


@cache
def executors() -> dict[str, str]:
    """Executor prefix (as typed) to module name, for every executor file in this folder."""
    stems = [path.stem for path in Path(__file__).parent.glob("[a-z]*.py")]
    return {stem.replace("_", "-"): stem for stem in sorted(stems) if stem not in NOT_EXECUTORS}


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    on: str = "numpy",
    taps: bool = False,
    options: Mapping[str, object] | None = None,
) -> Result:
    """Run `graph` on the executor called `on` (numpy, host, cortex-m4, qemu:mps2_an385, hdl, ...).

    inputs  integer codes (samples, *shape), or (samples, steps, *shape) for a graph with states
    taps    also return the values at kernel or part borders
    options of the executor, those of other executors are left alone; `progress` is a callable (done, total)
    EdgeTernaryError: code 2 for an unknown executor, 3 where a tool or an extra of the package is missing.
    """
    module, target = find(on)
    codes, known = check_inputs(graph, inputs), check_options(options)
    with extras.named():
        result: Result = module.run(graph, codes, target=target, taps=taps, options=known)
    return result


def find(on: str) -> tuple[ModuleType, str]:
    """The module of the executor called `on`, and its target. EdgeTernaryError (exit code 2) lists them.

    A module may say TARGETED (it takes a target), WAVES (suffixes of the wave files that it writes) and
    TAPPED_BY (the executor of the same hardware that has taps).
    """
    matches = [prefix for prefix in executors() if on.startswith(prefix)]
    if not matches:
        near = difflib.get_close_matches(on.split(":")[0], executors(), 1)
        raise EdgeTernaryError(
            f"unknown executor {on[:40]!r}",
            f"known are {', '.join(executors())}",
            f"did you mean {near[0]}?" if near else "see docs/cli.md",
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
