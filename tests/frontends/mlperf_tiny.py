"""The five int8 models of MLPerf Tiny, imported and compared with LiteRT's reference kernels.

    python -m tests.frontends.mlperf_tiny --samples 1000 --on numpy --on host --json

The files (mlcommons/tiny, benchmark/training/*/trained_models) are no part of this repository: they are
looked for in the folder that EDGETERNARY_MLPERF_TINY names, or in ../shared/data/mlperf-tiny beside the
checkout.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import click
import numpy as np

from edgeternary.frontends.tflite import read
from edgeternary.ir import Graph, IntArray
from edgeternary.run import run

MODELS = ("kws", "ic", "vww", "ad", "sww")
PLACES = (
    os.environ.get("EDGETERNARY_MLPERF_TINY", ""),
    Path(__file__).parents[3] / "shared" / "data" / "mlperf-tiny",
)


def found(name: str, kind: str = "int8") -> Path | None:
    """The file of one of MODELS; kind: "int8", or "float" for kws and ic."""
    paths = [Path(place) / f"{name}_{kind}.tflite" for place in PLACES if place]
    return next((path for path in paths if path.is_file()), None)


def samples(graph: Graph, count: int, seed: int = 0) -> IntArray:
    """All lo, all hi, a checkerboard, a single pixel, then random codes: (count, *shape)."""
    rng, x = np.random.default_rng(seed), graph.input
    data = rng.integers(x.lo, x.hi + 1, (count, *x.shape)).astype(np.int32)
    zero = graph.meta.of_input(x.name).zero
    assert isinstance(zero, int)
    for k in range(4, count, 2):  # close to zero, as real inputs are
        spread = int(rng.integers(1, 60))
        data[k] = np.clip(zero + rng.integers(-spread, spread + 1, x.shape), x.lo, x.hi)
    places = np.indices(x.shape).sum(axis=0)
    single = np.full(x.shape, zero)
    single.reshape(-1)[int(rng.integers(x.size))] = x.hi
    first = [np.full(x.shape, x.lo), np.full(x.shape, x.hi), np.where(places % 2, x.hi, x.lo), single]
    data[:4] = first[: min(count, 4)]
    return data


def compared(name: str, path: Path, on: str, count: int) -> dict[str, object]:
    """How many of `count` samples the executor `on` answers as LiteRT does not."""
    graph = read(path, name=name).graph
    data = samples(graph, count)
    want = run(graph, data, on="tflite", options={"original": path}).outputs
    start = time.perf_counter()
    got = run(graph, data, on=on, options={"timeout": 3600}).outputs
    wrong = int((want != got).reshape(count, -1).any(axis=1).sum())
    seconds = round(time.perf_counter() - start, 2)
    return {"model": name, "on": on, "samples": count, "mismatches": wrong, "seconds": seconds}


@click.command()
@click.option("--samples", "count", default=100, show_default=True)
@click.option("--on", multiple=True, default=["numpy"], show_default=True, metavar="EXECUTOR")
@click.option("--only", multiple=True, default=MODELS, type=click.Choice(MODELS))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def main(count: int, on: tuple[str, ...], only: tuple[str, ...], as_json: bool) -> None:
    """Compare the models with LiteRT's reference kernels."""
    wrong = 0
    for name in only:
        path = found(name)
        if path is None:
            raise click.ClickException(f"{name}_int8.tflite is in none of {[str(p) for p in PLACES if p]}")
        for executor in on:
            row = compared(name, path, executor, count)
            wrong += int(str(row["mismatches"]))
            print(json.dumps(row) if as_json else "  ".join(f"{k} {v}" for k, v in row.items()), flush=True)
    if wrong:
        raise SystemExit(4)


if __name__ == "__main__":
    main()
