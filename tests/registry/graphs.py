"""Small whole models that several tests run: an MLP, a CNN, a residual net and two with states."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np

from edgeternary.ir import REGISTRY, Graph, Meta, Op, State, Value
from edgeternary.ops import (
    Add,
    Concat,
    Conv2d,
    Dense,
    MaxPool,
    Requantize,
    Reshape,
    SumPool,
    Threshold,
    build,
)
from edgeternary.run import run


def act(rng: np.random.Generator, before: Graph, type: str, name: str) -> Op:
    """Thresholds on the output of `before`, drawn from values that occur: every level is met, ties too."""
    value = before.output_value
    op = build.random_thresholds(rng, value, type, name)
    assert isinstance(op, Threshold)
    seen = run(before, inputs(before, 16)).outputs.reshape(-1, value.channels)
    t = np.sort(rng.permuted(seen, axis=0)[: op.t.shape[1]].T, axis=1).astype(np.int32)
    return msgspec.structs.replace(op, t=t)


def uniform_act(rng: np.random.Generator, before: Graph, name: str) -> Op:
    """Thresholds of a 4-bit uniform quantiser over the values that occur."""
    value = before.output_value
    seen = run(before, inputs(before, 16)).outputs
    narrow = replace(value, lo=int(seen.min()), hi=int(seen.max()))
    return build.uniform_thresholds(rng, narrow, "uint4", name)


def tiny_mlp() -> Graph:
    """uint8 (12,) -> ternary dense -> bipolar -> bipolar dense -> 4 logits."""
    rng = np.random.default_rng(11)
    x = build.value("pixels", (12,), "uint8")
    first = Dense(
        name="fc1", inputs=("pixels",), weights=build.codes(rng, (35, 12), "ternary"), weight_type="ternary",
        bias=rng.integers(-50, 50, 35).astype(np.int32),
    )  # fmt: skip
    act1 = act(rng, build.graph(x, first), "bipolar", "act1")
    last = Dense(
        name="fc2", inputs=("act1",), weights=build.codes(rng, (4, 35), "bipolar"), weight_type="bipolar",
        bias=np.array([1, -2, 0, 3], np.int32),
    )  # fmt: skip
    meta = Meta(input_scale=1 / 255, logit_scale=0.125, labels=("a", "b", "c", "d"), info={"data": "none"})
    return Graph("tiny_mlp", x, (first, act1, last), "fc2", meta=meta)


def tiny_cnn() -> Graph:
    """uint8 (6, 6, 2) -> conv, pool, 2-bit codes -> conv, 2-bit codes, sum pool, requantize -> 3 logits."""
    rng = np.random.default_rng(12)
    x = build.value("image", (6, 6, 2), "uint8")
    conv1 = Conv2d(
        name="conv1", inputs=("image",), weights=build.codes(rng, (5, 3, 3, 2), "ternary"),
        weight_type="ternary", bias=rng.integers(-30, 30, 5).astype(np.int32), pad=(1, 1, 1, 1), pad_value=7,
    )  # fmt: skip
    pool1 = MaxPool(
        name="pool1", inputs=("conv1",), kernel=(2, 2), stride=(2, 2), minimum=np.zeros(5, np.uint8)
    )
    act1 = act(rng, build.graph(x, conv1, pool1), "uint2", "act1")
    conv2 = Conv2d(
        name="conv2", inputs=("act1",), weights=build.codes(rng, (6, 2, 2, 5), "ternary"),
        weight_type="ternary", bias=np.zeros(6, np.int32),
    )  # fmt: skip
    act2 = act(rng, build.graph(x, conv1, pool1, act1, conv2), "uint2", "act2")
    mean = SumPool(name="mean", inputs=("act2",), kernel=(2, 2), stride=(1, 1))
    quant = Requantize(
        name="quant", inputs=("mean",), m=np.ones(6, np.int32), b=np.zeros(6, np.int32),
        s=np.full(6, 1, np.int32), zero=0, lo=0, hi=7, rounding="half_up", type="uint3",
    )  # fmt: skip
    flat = Reshape(name="flat", inputs=("quant",), shape=(6,))
    fc = Dense(
        name="fc", inputs=("flat",), weights=build.codes(rng, (3, 6), "ternary"), weight_type="ternary",
        bias=np.array([5, 0, -5], np.int32),
    )  # fmt: skip
    return Graph("tiny_cnn", x, (conv1, pool1, act1, conv2, act2, mean, quant, flat, fc), "fc")


def residual() -> Graph:
    """Two branches that are added, then concatenated with one of them."""
    rng = np.random.default_rng(13)
    x = build.value("x", (4, 5, 3), "int8")
    left = build.random_thresholds(rng, x, "uint2", "left")
    conv = Conv2d(
        name="conv", inputs=("left",), weights=build.codes(rng, (3, 3, 3, 3), "ternary"),
        weight_type="ternary", bias=np.zeros(3, np.int32), pad=(1, 1, 1, 1), pad_value=0,
    )  # fmt: skip
    right = act(rng, build.graph(x, left, conv), "uint2", "right")
    total = Add(name="sum", inputs=("left", "right"))
    both = Concat(name="both", inputs=("sum", "left"))
    return Graph("residual", x, (left, conv, right, total, both), "both")


def leaky() -> Graph:
    """A layer of four leaky integrate-and-fire neurons that subtract their threshold when they spike.

    u[t] = clamp((7 * v[t-1] + 4) >> 3 + W x[t]), spike = u >= 40, v[t] = u - 40 * spike.
    """
    rng = np.random.default_rng(14)
    x = build.value("events", (9,), "binary")
    ones, zeros = np.ones(4, np.int32), np.zeros(4, np.int32)
    weights = np.clip(rng.integers(-3, 8, (4, 9)), -8, 7).astype(np.int8)
    drive = Dense(name="drive", inputs=("events",), weights=weights, weight_type="int4", bias=zeros)
    leak = Requantize(
        name="leak", inputs=("v",), m=7 * ones, b=zeros, s=3 * ones, zero=0, lo=-200, hi=200,
        rounding="half_up", type="int16",
    )  # fmt: skip
    total = Add(name="total", inputs=("leak", "drive"))
    u = Requantize(
        name="u", inputs=("total",), m=ones, b=zeros, s=zeros, zero=0, lo=-200, hi=200, rounding="floor",
        type="int16",
    )  # fmt: skip
    spike = Threshold(
        name="spike", inputs=("u",), t=np.full((4, 1), 40, np.int32), base=zeros, step=ones, type="binary"
    )
    fall = Dense(
        name="fall",
        inputs=("spike",),
        weights=(-40 * np.eye(4)).astype(np.int8),
        weight_type="int7",
        bias=zeros,
    )
    after = Add(name="after", inputs=("u", "fall"))
    v = Requantize(
        name="v_next", inputs=("after",), m=ones, b=zeros, s=zeros, zero=0, lo=-200, hi=200, rounding="floor",
        type="int16",
    )  # fmt: skip
    state = State(build.value("v", (4,), "int16", -200, 200), np.array([0, 5, -7, 39], np.int32), "v_next")
    return Graph("leaky", x, (drive, leak, total, u, spike, fall, after, v), "spike", (state,))


def delay_line() -> Graph:
    """Three states that hand on the input and two that swap: all are written back at once."""
    x = build.value("x", (3,), "int8")
    names = ("d1", "d2", "d3", "ping", "pong")
    nexts = ("x", "d1", "d2", "pong", "ping")
    init = np.arange(3, dtype=np.int32)
    states = tuple(
        State(build.value(name, (3,), "int8"), (10 * i - 20 + init).astype(np.int32), next)
        for i, (name, next) in enumerate(zip(names, nexts, strict=True))
    )
    return Graph("delay_line", x, (Concat(name="y", inputs=("x", *names)),), "y", states)


WHOLE = (tiny_mlp, tiny_cnn, residual)
STATEFUL = (leaky, delay_line)


def inputs(graph: Graph, samples: int, seed: int = 0, steps: int = 6) -> np.ndarray:
    """Random codes (samples, *shape), with a steps axis for a graph with states; extremes first."""
    (codes,) = named_inputs(graph, samples, seed, steps).values()
    return codes


def named_inputs(graph: Graph, samples: int, seed: int = 0, steps: int = 6) -> dict[str, np.ndarray]:
    """The same for each of several inputs, by name."""
    return {
        x.name: _codes(x, bool(graph.states), samples, np.random.default_rng(seed + i), steps)
        for i, x in enumerate(graph.inputs)
    }


def _codes(x: Value, states: bool, samples: int, rng: np.random.Generator, steps: int) -> np.ndarray:
    if not states:
        return build.samples(rng, x, samples)
    flat = build.samples(rng, x, samples * steps)
    rng.shuffle(flat)
    return flat.reshape(samples, steps, *x.shape)


def renamed(graph: Graph, text: str) -> Graph:
    """The graph with the text in the names of the model, its input, its first layer and its states."""
    first = graph.ops[0]
    new = {graph.input.name: f"{text} in", first.name: f"{text} layer"}
    new |= {state.value.name: f"{text} state" for state in graph.states}
    ops = tuple(
        msgspec.structs.replace(
            op, name=new.get(op.name, op.name), inputs=tuple(new.get(i, i) for i in op.inputs)
        )
        for op in graph.ops
    )
    states = tuple(
        replace(s, value=replace(s.value, name=new[s.value.name]), next=new.get(s.next, s.next))
        for s in graph.states
    )
    return Graph(
        text, replace(graph.input, name=new[graph.input.name]), ops, graph.output, states, graph.meta
    )


def chosen(kind: str, seed: int = 0) -> list[Graph]:
    """The examples of a kind of op, as every registry test uses them."""

    return REGISTRY[kind].examples(np.random.default_rng(seed))


def kinds() -> list[str]:

    return sorted(REGISTRY)
