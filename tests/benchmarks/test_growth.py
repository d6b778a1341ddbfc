"""Time grows with the number of weights and not with its square; the page and the plot of bench-growth."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import growth, growth_page
from benchmarks.__main__ import app
from edgeternary import cli, zoo
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.ir import Graph, Op
from edgeternary.ops import Dense, build
from edgeternary.run import run
from tests.need import need

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = 40


def chain(layers: int) -> Graph:
    rng = np.random.default_rng(0)
    x = top = build.value("x", (WIDTH,), "uint8")
    ops: list[Op] = []
    for i in range(layers):
        weights, bias = build.codes(rng, (WIDTH, WIDTH), "ternary"), np.zeros(WIDTH, np.int32)
        ops.append(
            Dense(name=f"fc{i}", inputs=(top.name,), weights=weights, weight_type="ternary", bias=bias)
        )
        top = ops[-1].infer([top])
        ops.append(build.random_thresholds(rng, top, "uint2", f"act{i}"))
        top = ops[-1].infer([top])
    return build.graph(x, *ops)


def planned(layers: int) -> float:
    """CPU seconds of plan and C."""
    graph, start = chain(layers), time.process_time()
    render_plan(select(graph, "cortex-m4"))
    return time.process_time() - start


@pytest.mark.slow
def test_planning_is_about_linear_in_the_number_of_layers() -> None:
    planned(4)  # templates are read
    assert min(planned(120), planned(120)) < 2.2 * 4 * min(planned(30), planned(30))


@pytest.mark.slow
@pytest.mark.torch
def test_the_command(tmp_path: Path) -> None:
    need("gcc")
    page = tmp_path / "page.md"
    arguments = ["growth", "--layers", "2,4", "--width", "16", "--compiler", "gcc", "--document", str(page)]
    assert cli.call(arguments, app) == 0
    rows = json.loads(page.with_suffix(".json").read_text())
    assert [row["weights"] for row in rows] == [16 * 16 + 160, 3 * 16 * 16 + 160]
    assert all(row["mismatches"] == 0 and row["file_bytes"] > 0 for row in rows)
    assert page.with_suffix(".svg").read_text().count("<polyline") == len(growth.STAGES)
    assert cli.call(["growth", "--layers", "one"], app) == 2


@pytest.mark.slow
def test_ten_thousand_images_on_this_machine() -> None:
    """In half a minute of CPU time, the compiler's included; it takes seconds."""
    need("gcc")
    graph, images = zoo.load("fashion-cnn"), np.tile(zoo.images("fashion-cnn")[0], (10, 1, 1, 1))
    start = growth.cpu_seconds()
    found = run(graph, images, on="host", options={"compiler": "gcc", "opt_level": "1"}).outputs
    assert growth.cpu_seconds() - start < 30
    np.testing.assert_array_equal(found, np.tile(zoo.logits("fashion-cnn")[0], (10, 1)))
    assert len(found) == 10_000


def test_the_page_is_made_of_its_rows() -> None:
    rows = json.loads((DOCS / "growth.json").read_text(encoding="utf-8"))
    assert (DOCS / "growth.md").read_text(encoding="utf-8") == growth_page.document(rows, "growth")
    assert (DOCS / "growth.svg").read_text(encoding="utf-8") == growth_page.svg(rows)
    assert rows[-1]["weights"] > 5_000_000 and rows[-1]["layers"] == 200 and rows[-1]["mismatches"] == 0
    for stage in ("lower", "save", "plan", "render", "host_build"):
        assert growth_page.exponent(rows, stage) < 1.5, stage
