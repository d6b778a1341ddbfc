"""python -m tests.frontends.tflite_files --count 500 --on host: random networks, compared with LiteRT."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.tflite import read
from edgeternary.run import run
from tests.frontends.tflite_files.drawn import network

SAMPLES = 40


def mismatches(seed: int, on: str, path: Path) -> int:
    """Samples of the network of `seed` that an executor answers as LiteRT's reference kernels do not."""
    path.write_bytes(network(seed))
    graph = read(path, name="m").graph
    rng, x = np.random.default_rng(seed), graph.input
    data = rng.integers(x.lo, x.hi + 1, (SAMPLES, *x.shape)).astype(np.int32)
    data[0], data[1] = x.lo, x.hi
    data[2:20] = rng.integers(-20, 20, (18, *x.shape))
    want = run(graph, data, on="tflite", options={"original": path}).outputs
    return int((run(graph, data, on=on).outputs != want).reshape(SAMPLES, -1).any(axis=1).sum())


@click.command()
@click.option("--first", default=0, show_default=True, help="The first seed.")
@click.option("--count", default=200, show_default=True, help="Networks.")
@click.option("--on", default="numpy", show_default=True, metavar="EXECUTOR")
def main(first: int, count: int, on: str) -> None:
    """Compare random small networks in .tflite files with LiteRT's reference kernels."""
    wrong, refused = {}, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            try:
                if found := mismatches(seed, on, Path(folder) / "m.tflite"):
                    wrong[seed] = found
            except EdgeTernaryError as error:  # drawn numbers may go too far, such as sums beyond int32
                refused.append(f"seed {seed}: {error}")
    print(f"{count - len(refused)} networks on {on}, {SAMPLES} samples each")
    print(f"mismatches by seed: {wrong or 'none'}", *refused, sep="\n")
    if wrong:
        raise SystemExit(4)


if __name__ == "__main__":
    main()
