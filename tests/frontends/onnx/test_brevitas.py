"""Networks of Brevitas' own exporter (benchmarks/brevitas_nets.py): equal to qonnx on every sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.ops import build
from edgeternary.run import run
from tests.frontends.onnx.files import same

FILES = sorted((Path(__file__).parents[2] / "data" / "qonnx").glob("*.onnx"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_equal_to_qonnx(path: Path) -> None:
    same(path, samples=12)


@pytest.mark.parametrize("path", FILES[::6], ids=lambda path: path.stem)
def test_equal_in_c(path: Path) -> None:
    graph = same(path, samples=2).graph
    x = build.samples(np.random.default_rng(1), graph.input, 50)
    np.testing.assert_array_equal(run(graph, x, on="host").outputs, graph.run(x).outputs)
