"""Networks that ONNX Runtime quantised (benchmarks/onnx_nets.py), and our own QONNX files, come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeternary.export.qonnx import to_qonnx
from edgeternary.ir import Graph
from edgeternary.ops import build
from tests.frontends.onnx.files import same
from tests.golden import models

FILES = sorted((Path(__file__).parents[2] / "data" / "onnx").glob("*.onnx"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_equal_to_onnxruntime(path: Path) -> None:
    graph = same(path, samples=40, on=("qonnx", "host")).graph
    assert graph.meta.logit_scale != 1


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_file_of_ours_comes_back(name: str, tmp_path: Path) -> None:
    make: Callable[[], Graph] = getattr(models, name)
    graph = make()
    path = tmp_path / "net.onnx"
    path.write_bytes(to_qonnx(graph))
    again = same(path).graph
    assert [op.kind for op in again.ops] == [op.kind for op in graph.ops]
    x = build.samples(np.random.default_rng(0), graph.input, 30)
    np.testing.assert_array_equal(again.run(x).outputs, graph.run(x).outputs)
