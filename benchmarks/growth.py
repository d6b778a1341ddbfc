"""How time and memory grow with a network: lowered, saved, loaded, compiled, and run on numpy and host."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import edgeternary
from edgeternary.ir import Graph
from edgeternary.run import run

Row = dict[str, Any]
WIDTH = 160  # inputs and outputs of each layer: 25,600 weights
LAYERS = (25, 50, 100, 200)
SAMPLES = 20
STAGES = ("lower", "save", "load", "plan", "render", "numpy", "host_build", "host")


def model(layers: int, width: int = WIDTH) -> Any:
    """A torch model of `layers` ternary layers with 2-bit activations, and an example for it."""
    import torch
    from torch import nn as plain

    from edgeternary import nn

    torch.manual_seed(0)
    parts: list[plain.Module] = []
    for _ in range(layers - 1):
        parts += [nn.Linear(width, width), nn.BatchNorm(width), nn.Activation(2)]
    made = plain.Sequential(*parts, nn.Output(width, 10, codes=2))
    return made.eval(), torch.randint(0, 256, (4, width)).float()


def measure(layers: int, width: int = WIDTH, samples: int = SAMPLES, compiler: str = "auto") -> Row:
    """CPU seconds of each stage, and memory_bytes, the most memory that the process has had.

    compiler    of the stages host_build, which plans once more, and host
    mismatches  samples whose outputs on host are not those of numpy
    """
    row: Row = {"layers": layers, "width": width, "samples": samples}
    made, example = model(layers, width)
    with _timed(row, "lower"):
        graph = edgeternary.lower(made, example, name="growth")
    row["weights"] = sum(op.weights.size for op in graph.ops if op.kind == "dense")  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
        path = Path(folder, "growth.et")
        with _timed(row, "save"):
            edgeternary.save(graph, path)
        row["file_bytes"] = path.stat().st_size
        with _timed(row, "load"):
            graph = edgeternary.load(path)
    return compiled(row, graph, samples, compiler)


def compiled(row: Row, graph: Graph, samples: int, compiler: str) -> Row:
    """The row with the stages from the plan on."""
    from edgeternary.c.render import render_plan
    from edgeternary.c.select import select

    codes = np.random.default_rng(0).integers(0, 256, (samples, *graph.input.shape), dtype=np.int32)
    with _timed(row, "plan"):
        plan = select(graph, "host")
    with _timed(row, "render"):
        row["c_bytes"] = sum(map(len, render_plan(plan).values()))
    with _timed(row, "numpy"):
        right = run(graph, codes).outputs
    options = {"compiler": compiler}
    with _timed(row, "host_build"):
        run(graph, codes[:1], on="host", options=options)
    with _timed(row, "host"):
        found = run(graph, codes, on="host", options=options)
    row["compiler"] = found.stats["compiler"]
    row["mismatches"] = int((right != found.outputs).reshape(samples, -1).any(1).sum())
    return row


@contextmanager
def _timed(row: Row, stage: str) -> Iterator[None]:
    start = cpu_seconds()
    yield
    row[stage] = round(cpu_seconds() - start, 3)
    row["memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def cpu_seconds() -> float:
    """CPU seconds of this process and of the programs that it ran."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
