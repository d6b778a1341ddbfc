"""The models of MLPerf Tiny: every output equal to that of LiteRT's reference kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeternary.frontends.tflite import read
from edgeternary.run import run
from tests.frontends.mlperf_tiny import MODELS, PLACES, found, samples
from tests.full import FULL
from tests.need import REQUIRED

pytest.importorskip("tflite")
pytest.importorskip("ai_edge_litert")


def file(name: str, kind: str = "int8") -> Path:
    path = found(name, kind)
    if path is None:
        message = f"{name}_{kind}.tflite is missing; looked in {[str(place) for place in PLACES if place]}"
        (pytest.fail if REQUIRED else pytest.skip)(message)
    assert path is not None
    return path


@pytest.mark.parametrize(
    ("name", "on"),
    [(n, on) for n in MODELS for on in ("numpy", "host") if FULL or (n, on) != ("vww", "host")],
)
def test_equal_to_litert(name: str, on: str) -> None:
    path = file(name)
    graph = read(path, name=name).graph
    data = samples(graph, 24 if on == "numpy" else 8)
    want = run(graph, data, on="tflite", options={"original": path}).outputs
    np.testing.assert_array_equal(run(graph, data, on=on).outputs, want)
    assert len(np.unique(want)) > 2


@pytest.mark.emulator
@pytest.mark.parametrize(("name", "core"), [("ad", "cortex-m0plus"), ("sww", "cortex-m4")])
def test_emulated(name: str, core: str) -> None:
    path = file(name)
    graph = read(path, name=name).graph
    data = samples(graph, 2, seed=3)
    want = run(graph, data, on="tflite", options={"original": path}).outputs
    np.testing.assert_array_equal(run(graph, data, on=core, options={"count": 0}).outputs, want)


@pytest.mark.parametrize(("name", "dropped"), [("kws", ["Identity"]), ("ad", [])])
def test_softmax_is_left_off_and_said_so(name: str, dropped: list[str]) -> None:
    made = read(file(name), name=name)
    assert [note.split(":")[0] for note in made.notes] == dropped
    assert len(made.rows) == {"kws": 13, "ad": 10}[name]
    assert made.graph.meta.logit_zero == {"kws": 14, "ad": 96}[name]
