"""Counts of many bits, whose tables synthesis merges into carry chains, are proven by exact sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeternary.hdl.constraints import Constraints
from edgeternary.ops import Compare, GroupCount, build
from tests.need import need

pytestmark = [pytest.mark.synth, pytest.mark.slow]


@pytest.mark.parametrize("size", [12, 47])
def test_counts_on_six_input_tables(size: int) -> None:
    need("amaranth", "yosys")
    from edgeternary.prove.build import prove, subject

    x = build.value("x", (2 * size,), "binary")
    bits = Compare(
        name="bits", inputs=("x",), source=np.arange(2 * size, dtype=np.int32), t=np.ones(2 * size, np.int32)
    )
    ends, bias = np.array([size, 2 * size], np.int32), np.array([0, 3], np.int32)
    graph = build.graph(x, bits, GroupCount(name="counts", inputs=("bits",), ends=ends, bias=bias))
    made = subject(graph, "xc7a35t", Constraints(latency=30, embedded=True), yosys="native")
    certificate = prove(replace(made, netlist=False), 0.2)
    states = {claim.state for claim in certificate.claims if claim.step == "graph = RTL"}
    assert states == {"proven"}, certificate.text()
