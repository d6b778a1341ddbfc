"""Weights as wires: the shipped policies answer within ten clocks, bit for bit; what cannot is refused."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

import edgeternary
from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.ops import Argmax, Dense, Requantize, Threshold, build
from edgeternary.run import run
from tests.need import need
from tests.packaging.test_examples import EXAMPLES
from tests.registry.graphs import chosen, inputs, kinds, leaky, tiny_cnn, tiny_mlp


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def policy(name: str = "cartpole") -> Graph:
    return edgeternary.load(EXAMPLES / "rl_cartpole" / f"{name}.et")


def small(kind: str, weights: str, classes: int) -> Graph:
    """x of a kind -> dense -> thresholds of 2 bits -> dense -> argmax: every element, steps up and down."""
    rng = np.random.default_rng(7)
    x = build.value("x", (11,), kind)
    first = Dense(
        name="fc", inputs=("x",), weights=build.codes(rng, (9, 11), weights), weight_type=weights,
        bias=rng.integers(-5, 6, 9).astype(np.int32),
    )  # fmt: skip
    act = build.random_thresholds(rng, build.graph(x, first).output_value, "uint2", "act")
    assert isinstance(act, Threshold)
    last = Dense(
        name="out", inputs=("act",), weights=build.codes(rng, (classes, 9), weights), weight_type=weights,
        bias=np.zeros(classes, np.int32),
    )  # fmt: skip
    return build.graph(x, first, act, last, Argmax(name="best", inputs=("out",)))


@pytest.mark.parametrize("kind", ["uint4", "int8", "bipolar", "ternary", "binary"])
@pytest.mark.parametrize(("weights", "classes"), [("ternary", 5), ("bipolar", 3)])
def test_every_element_is_exact_with_pauses(kind: str, weights: str, classes: int) -> None:
    graph = small(kind, weights, classes)
    codes = inputs(graph, 40)
    expected = run(graph, codes).outputs
    found = run(graph, codes, on="hdl", options={"latency": 9, "stalls": 3})
    np.testing.assert_array_equal(found.outputs, expected)


@pytest.mark.parametrize("name", ["cartpole", "acrobot"])
def test_policies_answer_within_ten_clocks_one_every_clock(name: str) -> None:
    graph = policy(name)
    codes = inputs(graph, 60)
    found = run(graph, codes, on="hdl", options={"latency": 9})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
    assert found.stats["latency"] < 10 and found.stats["cycles"] == 1


def test_activations_of_eight_bits_answer_within_seven_clocks() -> None:
    """Two dense layers with a requantize between them, whose factors take adders, and an argmax."""
    graph = small("int8", "ternary", 5)
    fc, _, out, best = graph.ops
    rng, ones = np.random.default_rng(3), np.ones(9, np.int32)
    scale = Requantize(
        name="act", inputs=("fc",), m=rng.integers(30, 60, 9).astype(np.int32),
        b=rng.integers(-99, 99, 9).astype(np.int32), s=8 * ones, zero=3, lo=-128, hi=127,
        rounding="half_up", type="int8",
    )  # fmt: skip
    graph = build.graph(graph.input, fc, scale, out, best)
    codes = inputs(graph, 40)
    found = run(graph, codes, on="hdl", options={"latency": 7})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
    assert found.stats["latency"] <= 7 and found.stats["cycles"] == 1


@pytest.mark.parametrize("kind", kinds())
def test_the_examples_of_every_op_that_can_be_wired(kind: str) -> None:
    from edgeternary.hdl.limits import check
    from edgeternary.hdl.parts import wired_layers
    from edgeternary.hdl.wired import why_not

    done = 0
    for graph in chosen(kind) if kind in wired_layers() else ():
        try:
            check(graph)
        except EdgeTernaryError:
            continue
        if not why_not(graph):
            codes = inputs(graph, 12)
            found = run(graph, codes, on="hdl", options={"latency": 1000, "stalls": 3})
            np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
            done += 1
    assert done or kind not in wired_layers() or kind == "conv2d"  # its windows come from a folded part


def test_a_wrong_wire_is_caught() -> None:
    graph = policy()
    fc = next(op for op in graph.ops if isinstance(op, Dense))
    faulty = graph.with_ops([msgspec.structs.replace(fc, weights=-fc.weights), *graph.ops[1:]])
    codes = inputs(graph, 60)
    assert (run(faulty, codes, on="hdl", options={"latency": 9}).outputs != run(graph, codes).outputs).any()


def test_a_limit_of_luts_is_kept() -> None:
    from edgeternary.hdl import plan

    for constraints in (Constraints("hx4k", latency=9, max_luts=300), Constraints("hx1k", latency=9)):
        with pytest.raises(EdgeTernaryError, match="does not fit Lattice iCE40HX") as caught:
            plan.design(policy(), constraints)
        assert caught.value.code == DOES_NOT_FIT
    assert plan.design(policy(), Constraints("hx4k", latency=9)).cycles == 1


@pytest.mark.parametrize(
    ("graph", "latency", "said"),
    [
        (policy, 3, "the registers around them take at least 4"),
        (tiny_cnn, 50, "layer 'conv1' reads windows, so that other layers must be folded"),
    ],
)
def test_what_cannot_answer_so_fast_is_refused(graph: object, latency: int, said: str) -> None:
    from edgeternary.hdl import plan

    with pytest.raises(EdgeTernaryError, match=said) as caught:
        plan.design(graph(), Constraints(latency=latency))  # type: ignore[operator]
    assert caught.value.code == DOES_NOT_FIT


def test_bad_constraints_are_usage_errors() -> None:
    with pytest.raises(EdgeTernaryError, match="latency") as caught:
        run(tiny_mlp(), inputs(tiny_mlp(), 1), on="hdl", options={"latency": -1})
    assert caught.value.code == USAGE
    with pytest.raises(EdgeTernaryError, match="cannot answer within 9 clocks"):
        run(leaky(), inputs(leaky(), 1), on="hdl", options={"latency": 9})


@pytest.mark.synth
def test_there_is_no_multiplier_and_the_netlist_is_exact() -> None:
    need("yosys")
    graph = small("uint4", "ternary", 5)
    codes = inputs(graph, 12)
    found = run(graph, codes, on="netlist:hx4k", options={"latency": 9, "yosys": "auto"})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
    assert found.stats["multipliers"] == 0
