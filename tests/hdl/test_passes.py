"""The passes of the back end: their order, and that a plan runs each once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from tests.need import need

need("amaranth")

from edgeternary.hdl import passes, plan  # noqa: E402
from tests.hdl.test_pad import KINDS, mlp  # noqa: E402


def test_padding_comes_last() -> None:
    flags = [step.padded for step in passes.PASSES]
    assert flags == sorted(flags)


def test_a_plan_runs_each_pass_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it tries many folds, padded and not."""
    counts: Counter[str] = Counter()

    def counted(step: passes.Pass) -> passes.Pass:
        def run(graph: Graph) -> Graph:
            counts[step.run.__name__] += 1
            return step.run(graph)

        return replace(step, run=run)

    monkeypatch.setattr(passes, "PASSES", tuple(map(counted, passes.PASSES)))
    graph = mlp(KINDS[0], 19, 13, 11, 7)
    plan.design(graph, Constraints("up5k", maximize=True))
    assert counts == {"flatten_early": 1, "together": 1, "count_by_position": 1, "pad": 1}
