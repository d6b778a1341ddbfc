"""Small graphs for the tests of the C back end."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, Op, State, Value
from edgeternary.ops import Add, Concat, Conv2d, Dense, MaxPool, Requantize, Reshape, build

REQUANTIZES = ("A", "B", "C", "tflite_double")
FOLLOWS = ("bipolar", "ternary", "uint2", "int3", "uint4", "binary", "uniform", *REQUANTIZES)


def followed(graph: Graph, follow: str, rng: np.random.Generator) -> Graph:
    """`graph` with a threshold (named by its output type) or a requantize (by its form) at its end."""
    value = graph.output_value
    op = requantize(value, follow, rng) if follow in REQUANTIZES else thresholds(rng, value, follow)
    return graph.with_ops([*graph.ops, op], outputs="act")


def thresholds(rng: np.random.Generator, value: Value, type: str, name: str = "act") -> Op:
    """Random ones to `type`, or those of a 4-bit uniform quantiser."""
    if type == "uniform":
        return build.uniform_thresholds(rng, value, "uint4", name)
    return build.random_thresholds(rng, value, type, name)


def requantize(value: Value, form: str, rng: np.random.Generator) -> Requantize:
    """A requantize of `value` to int8 of some form, or with the rounding tflite_double."""
    channels = value.channels
    double = form == "tflite_double"
    m = {"A": rng.choice([1, -1, 0], channels), "B": rng.integers(-9, 90, channels)}.get(
        form, rng.integers(2**28, 2**31 - 1, channels)
    )
    s = {"A": rng.integers(0, 4, channels), "B": rng.integers(0, 9, channels)}.get(
        form, rng.integers(31, 36, channels)
    )
    b = rng.integers(-50, 50, channels) * (not double)
    rounding = "tflite_double" if double else str(rng.choice(["floor", "half_up", "tflite_single"]))
    arrays = {"m": m.astype(np.int32), "b": b.astype(np.int32), "s": s.astype(np.int32)}
    return Requantize(
        name="act", inputs=(value.name,), **arrays, zero=3, lo=-100, hi=127, rounding=rounding, type="int8"
    )


def dense(rng: np.random.Generator, x: Value, out: int, weight_type: str, name: str) -> Dense:
    weights = build.codes(rng, (out, x.size), weight_type)
    bias = rng.integers(-9, 10, out).astype(np.int32)
    return Dense(name=name, inputs=(x.name,), weights=weights, weight_type=weight_type, bias=bias)


def conv(rng: np.random.Generator, x: Value, out: int, weight_type: str, name: str) -> Conv2d:
    """3 x 3, padded by one with the lowest code of the input."""
    weights = build.codes(rng, (out, 3, 3, x.channels), weight_type)
    bias = rng.integers(-9, 10, out).astype(np.int32)
    return Conv2d(
        name=name, inputs=(x.name,), weights=weights, weight_type=weight_type, bias=bias, pad=(1, 1, 1, 1),
        pad_value=x.type.lo if x.type.name == "bipolar" else 0,
    )  # fmt: skip


class Net:
    """A chain of layers under construction; `value` is its end."""

    def __init__(self, name: str, x: Value, rng: np.random.Generator) -> None:
        self.name, self.x, self.value, self.rng = name, x, x, rng
        self.ops: list[Op] = []
        self.values = {x.name: x}

    def add(self, op: Op) -> Net:
        self.ops.append(op)
        self.value = self.values[op.name] = op.infer([self.values[name] for name in op.inputs])
        return self

    def dense(self, out: int, weight_type: str, name: str) -> Net:
        return self.add(dense(self.rng, self.value, out, weight_type, name))

    def conv(self, out: int, weight_type: str, name: str) -> Net:
        return self.add(conv(self.rng, self.value, out, weight_type, name))

    def threshold(self, type: str, name: str) -> Net:
        return self.add(thresholds(self.rng, self.value, type, name))

    def pool(self, name: str) -> Net:
        minimum = self.rng.integers(0, 2, self.value.channels).astype(np.uint8)
        pool = MaxPool(name=name, inputs=(self.value.name,), kernel=(2, 2), stride=(2, 2), minimum=minimum)
        return self.add(pool)

    def flatten(self, name: str = "flat") -> Net:
        return self.add(Reshape(name=name, inputs=(self.value.name,), shape=(self.value.size,)))

    def graph(self) -> Graph:
        return build.graph(self.x, *self.ops, name=self.name)


def cnn(weight_type: str, act: str, size: int, channels: tuple[int, ...], seed: int = 0) -> Graph:
    """size x size pixels; convolutions, each with a threshold, a pool after the first two; a dense layer."""
    net = Net("cnn", build.value("x", (size, size, 1), "uint8"), np.random.default_rng(seed))
    for i, count in enumerate(channels):
        net.conv(count, weight_type, f"conv{i}").threshold(act, f"act{i}")
        if i < 2:
            net.pool(f"pool{i}")
    return net.flatten().dense(10, weight_type, "fc").graph()


def branches(act: str, seed: int = 0) -> Graph:
    """Two branches that meet in an add and in a concat, and a value that three layers read."""
    rng = np.random.default_rng(seed)
    net = Net("branches", build.value("x", (4, 4, 5), "int8"), rng)
    net.conv(6, "ternary", "stem").threshold(act, "shared")
    shared = net.value
    left = build.random_thresholds(
        rng, net.add(conv(rng, shared, 6, "ternary", "left")).value, act, "left_act"
    )
    net.add(left).add(Add(name="sum", inputs=("shared", "left_act"))).threshold(act, "sum_act")
    net.add(Concat(name="both", inputs=("sum_act", "shared"))).conv(4, "bipolar", "last")
    return net.flatten().graph()


def stateful(seed: int = 0) -> Graph:
    """Two states: `slow` takes over the old `fast` (a swap through a state), `fast` accumulates the input."""
    rng = np.random.default_rng(seed)
    x = build.value("x", (5,), "int8", -20, 20)
    fast, slow = build.value("fast", (5,), "int8"), build.value("slow", (5,), "int8")
    add = Add(name="sum", inputs=("x", "fast"))
    ones = np.ones(5, np.int32)
    keep = Requantize(
        name="keep", inputs=("sum",), m=ones, b=0 * ones, s=0 * ones, zero=0, lo=-128, hi=127,
        rounding="floor", type="int8",
    )  # fmt: skip
    mix = Add(name="mix", inputs=("keep", "slow"))
    init = rng.integers(-9, 9, 5).astype(np.int32)
    states = (State(fast, init, "keep"), State(slow, np.full(5, 7, np.int32), "fast"))
    return Graph(name="stateful", inputs=x, ops=(add, keep, mix), outputs="mix", states=states)


def mlp(
    weight_type: str, act: str, sizes: tuple[int, ...], input_type: str = "uint8", seed: int = 0
) -> Graph:
    """Dense layers with a threshold after each but the last."""
    net = Net("mlp", build.value("x", sizes[:1], input_type), np.random.default_rng(seed))
    for i, size in enumerate(sizes[1:]):
        net.dense(size, weight_type, f"fc{i}")
        if i < len(sizes) - 2:
            net.threshold(act, f"act{i}")
    return net.graph()
