"""What a graph refuses: each case changes one thing of a legal graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.ir import Graph, Meta, Op, State, Value, parse
from edgeternary.ops import Add, Concat, Dense, Mul, Reshape, SumPool, build
from tests.registry.graphs import chosen, kinds, leaky, tiny_mlp


def with_op(graph: Graph, layer: str, /, **changes: object) -> Graph:
    """`graph` with fields of one op changed."""
    ops = [msgspec.structs.replace(op, **changes) if op.name == layer else op for op in graph.ops]
    return graph.with_ops(ops)


def with_state(**changes: Any) -> Graph:
    graph = leaky()
    return replace(graph, states=(replace(graph.states[0], **changes),))


def mlp(layer: str, /, **changes: object) -> Graph:
    return with_op(tiny_mlp(), layer, **changes)


def lif(layer: str, /, **changes: object) -> Graph:
    return with_op(leaky(), layer, **changes)


def i32(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def widest() -> Value:
    return build.value("x", (4, 4, 1), "int32")


CASES: dict[str, tuple[str, Callable[[], Graph]]] = {
    "order": ("'fc1' is no earlier value", lambda: tiny_mlp().with_ops(tiny_mlp().ops[1:])),
    "twice the same name": ("two values are named 'fc1'", lambda: mlp("act1", name="fc1")),
    "a layer called as the input": ("two values", lambda: mlp("fc1", name="pixels")),
    "unprintable layer name": ("bad layer name", lambda: mlp("fc2", name="a\nb")),
    "unprintable model name": ("bad model name", lambda: replace(tiny_mlp(), name="a\nb")),
    "no layers": ("has 0 layers", lambda: tiny_mlp().with_ops([])),
    "output that is the input": ("no value of a layer", lambda: replace(tiny_mlp(), outputs=("pixels",))),
    "output that is a state": ("no value of a layer", lambda: replace(leaky(), outputs=("v",))),
    "output that does not exist": ("no value of a layer", lambda: replace(tiny_mlp(), outputs=("nothing",))),
    "too many inputs": ("takes 1 inputs, not 2", lambda: mlp("fc2", inputs=("act1", "act1"))),
    "too few inputs": ("takes 2 inputs, not 1", lambda: lif("total", inputs=("leak",))),
    "no inputs": ("takes 1 inputs, not 0", lambda: mlp("fc1", inputs=())),
    "weights of another type": ("a weight is not bipolar", lambda: mlp("fc1", weight_type="bipolar")),
    "unknown weight type": ("not supported", lambda: mlp("fc1", weight_type="float32")),
    "wide weights": ("weights must be int8", lambda: mlp("fc1", weights=np.ones((35, 12), np.int32))),
    "bias of another shape": ("bias must be int32", lambda: mlp("fc2", bias=i32(1, 2))),
    "bias of another dtype": ("bias must be int32", lambda: mlp("fc2", bias=np.zeros(4))),
    "overflow by bias": ("can overflow", lambda: mlp("fc2", bias=np.full(4, 2**31 - 10, np.int32))),
    "thresholds that fall": ("must ascend", lambda: lif("spike", t=np.array([[2, 1]] * 4, np.int32))),
    "threshold out of reach": ("must lie in", lambda: lif("spike", t=np.full((4, 1), 202, np.int32))),
    "outputs beyond the type": ("is not binary", lambda: lif("spike", base=i32(1, 0, 0, 0))),
    "steps of three": ("steps must be", lambda: lif("spike", step=i32(3, 1, 1, 1))),
    "unknown rounding": ("unknown rounding", lambda: lif("u", rounding="up")),
    "shift of 63": ("shifts must be", lambda: lif("u", s=i32(0, 0, 0, 63))),
    "clamp beyond the type": ("leaves int16", lambda: lif("u", hi=2**15)),
    "state of another interval": ("requantize the next state", lambda: lif("v_next", lo=-201)),
    "state of another type": ("state 'v' is not valid", lambda: with_state(next="u_missing")),
    "state with another initial shape": ("initial content must be", lambda: with_state(init=i32(1))),
    "state that starts outside": ("initial content leaves", lambda: with_state(init=i32(0, 0, 0, 201))),
    "scale that is none": ("scale of nan", lambda: replace(tiny_mlp(), meta=Meta(logit_scale=float("nan")))),
    "infinite scale": ("scale of inf", lambda: replace(tiny_mlp(), meta=Meta(input_scale=float("inf")))),
    "scale that float32 does not hold": (
        "normal float32", lambda: replace(tiny_mlp(), meta=Meta(input_scale=1e-40))),
    "scales of too few channels": (
        "has 2 values of input_scale.*12 channels",
        lambda: replace(tiny_mlp(), meta=Meta(input_scale=(1.0, 2.0)))),
    "zero points of too many channels": (
        "has 13 values of input_zero", lambda: replace(tiny_mlp(), meta=Meta(input_zero=(0,) * 13))),
    "a channel's scale of zero": (
        "scale of 0", lambda: replace(tiny_mlp(), meta=Meta(input_scale=(1.0,) * 11 + (0.0,)))),
    "far zero point": ("zero point of 33554432", lambda: replace(tiny_mlp(), meta=Meta(input_zero=2**25))),
    "scale of zero": ("scale of 0", lambda: replace(tiny_mlp(), meta=Meta(input_scale=0.0))),
    "negative scale": ("scale of -1", lambda: replace(tiny_mlp(), meta=Meta(logit_scale=-1.0))),
    "sum beyond int32": ("'y' is not valid.*beyond int32", lambda: build.graph(
        widest(), Add(name="y", inputs=("x", "x")))),
    "product beyond int32": ("'y' is not valid.*beyond int32", lambda: build.graph(
        widest(), Mul(name="y", inputs=("x", "x")))),
    "pool beyond int32": ("'y' is not valid.*beyond int32", lambda: build.graph(
        widest(), SumPool(name="y", inputs=("x",), kernel=(2, 2), stride=(1, 1)))),
    "window larger than the map": ("larger than the padded input", lambda: build.graph(
        build.value("x", (2, 2, 1), "int8"), SumPool(name="y", inputs=("x",), kernel=(3, 1), stride=(1, 1)))),
    "reshape to other sizes": ("has 16 elements", lambda: build.graph(
        widest(), Reshape(name="y", inputs=("x",), shape=(5,)))),
    "reshape to a scalar": ("1 to 4 positive sizes", lambda: build.graph(
        build.value("x", (1,), "int8"), Reshape(name="y", inputs=("x",), shape=()))),
    "concat of one": ("takes two or more", lambda: build.graph(widest(), Concat(name="y", inputs=("x",)))),
    "interval that ends outside the type": ("has the interval", lambda: build.graph(
        build.value("x", (4,), "uint8", 0, 256), Reshape(name="y", inputs=("x",), shape=(4,)))),
    "interval that ends at no member": ("bipolar values", lambda: build.graph(
        build.value("x", (4,), "bipolar", 0, 1), Reshape(name="y", inputs=("x",), shape=(4,)))),
    "empty interval": ("has the interval", lambda: build.graph(
        build.value("x", (4,), "int8", 3, 2), Reshape(name="y", inputs=("x",), shape=(4,)))),
    "huge input": ("at most", lambda: build.graph(
        build.value("x", (2**14, 2**14), "int8"), Reshape(name="y", inputs=("x",), shape=(2**28,)))),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused(case: str) -> None:
    message, make = CASES[case]
    with pytest.raises(EdgeTernaryError, match=message) as caught:
        make()
    assert caught.value.code == BAD_INPUT


class Unregistered(Dense, frozen=True, kw_only=True, eq=False):
    """A look-alike that never entered the registry under its own kind."""

    kind = ""


def test_an_op_outside_the_registry_is_refused() -> None:
    fields = {name: getattr(tiny_mlp().op("fc1"), name) for name in Dense.__struct_fields__}
    with pytest.raises(EdgeTernaryError, match="unknown kind"):
        build.graph(tiny_mlp().input, Unregistered(**fields))


@pytest.mark.parametrize("kind", kinds())
def test_every_op_refuses_the_wrong_number_of_inputs_by_name(kind: str) -> None:
    for graph in chosen(kind)[:2]:
        op: Op = graph.ops[-1]
        for inputs in [(), op.inputs * 5][: 1 if op.arity is None else 2]:
            with pytest.raises(EdgeTernaryError, match=f"layer '{op.name}'"):
                with_op(graph, op.name, inputs=inputs)


def test_states_may_hand_on_inputs_and_each_other() -> None:
    x = build.value("x", (2,), "int8")
    state = State(build.value("s", (2,), "int8"), i32(0, 0), "x")
    graph = Graph("hand_on", x, (Add(name="y", inputs=("x", "s")),), "y", (state,))
    assert graph.values["y"].type == parse("int9")
