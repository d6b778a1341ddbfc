"""The drawings of the report: lanes that join what reads what, and memory in which no two values overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary import zoo
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.ir import Graph
from edgeternary.report.html import lanes
from edgeternary.report.html.arena import arena
from edgeternary.report.html.chart import chart
from edgeternary.report.tiny import tiny_graph
from tests.registry.graphs import STATEFUL, WHOLE
from tests.report.nets import residual


def followed(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> dict[str, set[str]]:
    """What a reader sees: the nodes at which the lines that arrive at a node began."""
    there: dict[int, str] = {}
    found: dict[str, set[str]] = {}
    for name, row in zip(names, rows, strict=True):
        ins, passing = row["ins"], row["passing"]
        assert isinstance(ins, list) and isinstance(passing, list)
        assert set(passing) <= set(there), "a line passes that began nowhere"
        found[name] = {there[lane] for lane in ins}
        there = {lane: there[lane] for lane in passing}
        lane = row["lane"]
        assert isinstance(lane, int) and lane not in there, "a node stands on a line that passes it"
        if row["on"]:
            there[lane] = name
    assert not there, "a line ends nowhere"
    return found


@given(st.lists(st.sets(st.integers(1, 12), max_size=4), max_size=40))
def test_lines_join_what_reads_what(back: list[set[int]]) -> None:
    names = [f"n{i}" for i in range(len(back))]
    inputs = {f"n{i}": [f"n{i - k}" for k in sorted(ks) if k <= i] for i, ks in enumerate(back)}
    rows = lanes.rows(names, inputs)
    assert followed(names, rows) == {name: set(inputs[name]) for name in names}


def test_a_branch_runs_beside_the_layers_that_it_skips() -> None:
    inputs = {"a": ["x"], "b": ["a"], "c": ["b"], "sum": ["c", "x"], "y": ["sum"]}
    rows = lanes.rows(["x", "a", "b", "c", "sum", "y"], inputs)
    assert [row["lane"] for row in rows] == [0, 1, 1, 1, 0, 0]
    assert [row["passing"] for row in rows] == [[], [0], [0], [0], [], []]
    width, drawn = lanes.drawing(rows)
    assert width == 2 * lanes.PITCH and len(drawn) == 6


def test_two_hundred_layers_stay_narrow() -> None:
    names = [f"n{i}" for i in range(200)]
    inputs = {name: names[max(0, i - 30) : i] for i, name in enumerate(names)}
    width, drawn = lanes.drawing(lanes.rows(names, inputs))
    assert width <= 200 and len(drawn) == 200


def plans() -> dict[str, Plan]:
    graphs: list[Graph] = [make() for make in (*WHOLE, *STATEFUL)]
    graphs += [residual(), tiny_graph(), zoo.load("mnist-mlp-binary-64")]
    return {graph.name: select(graph, "cortex-m4") for graph in graphs}


def test_no_two_values_lie_on_each_other() -> None:
    """Bytes by step: each belongs to one value, except where a step writes over what it reads."""
    for name, plan in plans().items():
        found = arena(plan)
        assert len(found["steps"]) == len(plan.calls)
        owner = np.full((len(plan.calls) + 1, max(plan.arena, 1)), -1)
        for number, block in enumerate(found["blocks"]):
            assert block["offset"] >= 0 and block["offset"] + block["bytes"] <= plan.arena, name
            for step in range(block["first"], block["last"] + 1):
                place = owner[step, block["offset"] : block["offset"] + block["bytes"]]
                before = {k for k in place.tolist() if k >= 0}
                ended = {k for k in before if found["blocks"][k]["last"] == step and step == block["first"]}
                assert before == ended, (name, block, [found["blocks"][k] for k in before])
                place[:] = number
        used = max((b["offset"] + b["bytes"] for b in found["blocks"]), default=0)
        assert used == plan.arena, name


@pytest.mark.parametrize("steps", [1, 6, 200])
def test_the_chart_stays_inside_itself(steps: int) -> None:
    blocks = [
        {"name": f"v{i}", "layout": "natural", "offset": 4 * i, "bytes": 4, "first": i, "last": i}
        for i in range(steps)
    ]
    drawn = chart({"bytes": 4 * steps, "steps": ["long name"] * steps, "blocks": blocks})
    for block in drawn["blocks"]:
        assert block["x"] >= drawn["left"] and block["x"] + block["width"] <= drawn["width"]
        assert block["y"] + block["height"] <= drawn["height"]
