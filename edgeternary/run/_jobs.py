"""Samples shared among processes, for executors that take each sample alone."""

from __future__ import annotations

import importlib
import multiprocessing
import signal
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from types import ModuleType

import numpy as np

from edgeternary.ir import Graph
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from edgeternary.toolchains.child import end_with_parent

LOCAL = ("jobs", "progress", "stage")  # options that stay in this process
PARTS = 4  # of the samples for each process, so that none waits long for the last


def shared(module: ModuleType, options: Mapping[str, object]) -> int:
    """The number of processes that this executor uses: 1 where it does not know the option `jobs`."""
    jobs = options.get("jobs")
    return jobs if isinstance(jobs, int) and getattr(module, "SHARED", False) else 1


def run(
    module: ModuleType,
    graph: Graph,
    inputs: np.ndarray,
    target: str,
    jobs: int,
    options: Mapping[str, object],
) -> Result:
    """What module.run answers, with the samples in `jobs` processes; inputs in their joined form.

    The first samples run here: they give the statistics, and fill the caches that the processes use.
    """
    here = {name: value for name, value in options.items() if name not in LOCAL[:2]}
    first: Result = module.run(
        graph, inputs[: max(Options.read(options).count, 1)], target=target, options=here
    )
    there = {name: value for name, value in here.items() if name not in LOCAL} | {"count": 0}
    parts = np.array_split(inputs, min(jobs * PARTS, len(inputs)))
    done, progress = 0, options.get("progress")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_in_worker) as pool:
        futures = [pool.submit(_answers, module.__name__, graph, part, target, there) for part in parts]
        try:
            for future in as_completed(futures):
                done += len(future.result())
                if callable(progress):
                    progress(done, len(inputs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return replace(first, outputs=np.concatenate([future.result() for future in futures]))


def _answers(
    name: str, graph: Graph, inputs: np.ndarray, target: str, options: Mapping[str, object]
) -> np.ndarray:
    """The outputs of a part, in a worker."""
    outputs: np.ndarray = (
        importlib.import_module(name).run(graph, inputs, target=target, options=options).outputs
    )
    return outputs


def _in_worker() -> None:
    """Ctrl-C is the parent's to handle; a tool ends with its worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
