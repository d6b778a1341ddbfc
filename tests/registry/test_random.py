"""Random whole models: numpy = ONNX Runtime, and the passes keep the answers. C: test_networks.py."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from edgeternary.ir import Graph
from edgeternary.passes import optimize
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import inputs
from tests.registry.random_graphs import graphs, spiking_graphs, stateful_graphs, table_networks

ANY = graphs() | stateful_graphs() | spiking_graphs() | table_networks()


@settings(max_examples=80)
@given(ANY)
def test_onnxruntime(graph: Graph) -> None:
    need("onnxruntime")
    codes = inputs(graph, 12)
    ours, theirs = run(graph, codes, taps=True), run(graph, codes, on="onnxruntime", taps=True)
    for op in graph.ops:
        np.testing.assert_array_equal(theirs.taps[op.name], ours.taps[op.name], err_msg=op.name)


@settings(max_examples=80)
@given(ANY)
def test_optimize_keeps_the_answers(graph: Graph) -> None:
    codes = inputs(graph, 12)
    np.testing.assert_array_equal(run(optimize(graph), codes).outputs, run(graph, codes).outputs)
