"""Matrices as shared adders: the same numbers as numpy for every kind of input, and few LUTs."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.ops import Dense, build
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import inputs


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def layer(seed: int, kind: str, weights: str, rows: int, columns: int) -> Graph:
    rng = np.random.default_rng(seed)
    w = build.codes(rng, (rows, columns), weights)
    if seed % 3 == 0:
        w[:, : columns // 3] = 0  # dead inputs
    if weights == "bipolar":
        w = rng.choice([-1, 1], (rows, columns)).astype(np.int8)
    bias = rng.integers(-30, 31, rows).astype(np.int32)
    op = Dense(name="fc", inputs=("x",), weights=w, weight_type=weights, bias=bias)
    return build.graph(build.value("x", (columns,), kind), op)


@pytest.mark.parametrize("weights", ["bipolar", "ternary", "int2", "int4", "int8"])
@pytest.mark.parametrize("kind", ["binary", "bipolar", "ternary", "uint2", "uint4", "int3", "int8"])
def test_drawn_matrices_are_exact(kind: str, weights: str) -> None:
    """Odd, prime and single sizes; inputs at both ends of their type, and random ones."""
    seed = sum(map(ord, kind + weights))
    sizes = ((1, 1), (7, 13), (17, 29), (3, 41))
    rows, columns = sizes[seed % len(sizes)]
    graph = layer(seed, kind, weights, rows, columns)
    codes = inputs(graph, 24)
    codes[0], codes[1] = graph.input.lo, graph.input.hi
    found = run(graph, codes, on="hdl", options={"latency": 5 + seed % 5})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)


@pytest.mark.parametrize("fabric", ["ice40", "ecp5", "xc7"])
@pytest.mark.parametrize(("zeros", "most"), [(0.0, (1800, 3300, 1800)), (0.45, (4300, 7300, 4300))])
def test_shared_adders_are_few(fabric: str, zeros: float, most: tuple[int, int, int]) -> None:
    """As estimated; `python -m benchmarks.wires` synthesises them."""
    from benchmarks.wires import layer, part
    from edgeternary_hw.fabric import FABRICS

    made = part(layer(zeros), fabric)
    luts = FABRICS[fabric].luts(made.circuit, made.stages.of)
    assert luts < most[("ice40", "ecp5", "xc7").index(fabric)]


def test_a_sum_that_all_rows_need_is_made_once() -> None:
    from edgeternary.hdl.sharing import shared
    from edgeternary_hw import Circuit
    from edgeternary_hw.fabric import FABRICS

    c = Circuit()
    bits = [c.input(k, 1) for k in range(6)]
    rows = shared(c, [bits[:4], bits[1:5], bits[:5]], FABRICS["ice40"])
    assert all(len(row) < 4 for row in rows)
    assert len(c.live([n for row in rows for n in row])) == len(c.nodes) - 1  # bit 5 is in no row
