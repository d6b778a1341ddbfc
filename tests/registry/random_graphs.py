"""Random whole models for hypothesis, valid by construction: MLPs, CNNs, residual nets, nets with states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from edgeternary.ir import Graph, Op, State, Value, parse
from edgeternary.ops import (
    Add,
    Argmax,
    Concat,
    Conv2d,
    Dense,
    Lookup,
    MaxPool,
    Mul,
    Requantize,
    Reshape,
    SumPool,
    build,
)  # fmt: skip
from edgeternary.ops.neuron import MOST, Cells, integrator, named, neurons
from edgeternary.run import run
from tests.registry.graphs import act, inputs, uniform_act

ACTIVATIONS = ("bipolar", "binary", "ternary", "uint2", "int3", "uint4")
WEIGHTS = ("bipolar", "ternary", "ternary", "int2", "int4", "int8")
INPUTS = ("uint8", "int8", "bipolar", "ternary", "uint2", "uint4", "int5")


class Maker:
    """Grows a graph op by op. `top` is the value that the next layer reads."""

    def __init__(self, draw: Callable[..., int], rng: np.random.Generator, x: Value) -> None:
        self.draw, self.rng, self.x = draw, rng, x
        self.ops: list[Op] = []
        self.top = x

    def below(self, n: int) -> int:
        return self.draw(st.integers(0, n - 1))

    def pick(self, options: tuple[str, ...]) -> str:
        return options[self.below(len(options))]

    def add(self, op: Op) -> Value:
        self.ops.append(op)
        self.top = self.graph().output_value
        return self.top

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.ops)}"

    def graph(self) -> Graph:
        return build.graph(self.x, *self.ops, name="random")

    def bias(self, count: int) -> np.ndarray:
        return self.rng.integers(-9, 10, count).astype(np.int32)

    def dense(self, out: int) -> Value:
        if len(self.top.shape) != 1:
            self.add(Reshape(name=self.name("flat"), inputs=(self.top.name,), shape=(self.top.size,)))
        kind = self.pick(WEIGHTS)
        weights = build.codes(self.rng, (out, self.top.size), kind)
        return self.add(
            Dense(
                name=self.name("fc"),
                inputs=(self.top.name,),
                weights=weights,
                weight_type=kind,
                bias=self.bias(out),
            )
        )

    def conv(self, out: int) -> Value:
        height, width, channels = self.top.shape
        kernel = 1 + self.below(min(3, height)), 1 + self.below(min(3, width))
        pad: Any = tuple(self.below(k) for k in kernel * 2)
        divisors = [n for n in range(1, channels + 1) if channels % n == 0]
        groups = divisors[self.below(len(divisors))] if self.below(3) == 0 else 1
        kind = self.pick(WEIGHTS)
        codes = [code for code in (self.top.lo, 0, self.top.hi) if self.top.type.contains(np.array([code]))]
        return self.add(
            Conv2d(
                name=self.name("conv"), inputs=(self.top.name,), weight_type=kind,
                weights=build.codes(self.rng, (out * groups, *kernel, channels // groups), kind),
                bias=self.bias(out * groups), stride=(1 + self.below(2), 1 + self.below(2)), pad=pad,
                pad_value=codes[self.below(len(codes))], groups=groups,
            )
        )  # fmt: skip

    def pool(self) -> Value:
        kernel: Any = tuple(1 + self.below(min(3, n)) for n in self.top.shape[:2])
        stride = (1 + self.below(2), 1 + self.below(2))
        if self.top.hi - self.top.lo < 2**16 and self.below(3) == 0:
            op: Op = SumPool(name=self.name("sum"), inputs=(self.top.name,), kernel=kernel, stride=stride)
        else:
            minimum = self.rng.integers(0, 2, self.top.channels).astype(np.uint8)
            pad: Any = tuple(self.below(k) for k in kernel * 2)
            op = MaxPool(
                name=self.name("max"),
                inputs=(self.top.name,),
                kernel=kernel,
                stride=stride,
                pad=pad,
                minimum=minimum,
            )
        return self.add(op)

    def quantise(self, type: str | None = None) -> Value:
        """Thresholds, or a requantize."""
        name = self.name("act")
        if type is None and self.below(4) == 0:
            return self.add(self.requantize(name, self.top, parse("uint5"), "half_up"))
        if type is None and self.below(4) == 0:
            return self.add(uniform_act(self.rng, self.graph(), name))
        return self.add(act(self.rng, self.graph(), type or self.pick(ACTIVATIONS), name))

    def requantize(self, name: str, x: Value, type: object, rounding: str) -> Op:
        """Form A or B, scaled so that the output uses its range."""
        out = parse(str(type))
        shift = max((x.hi - x.lo).bit_length() - out.bits, 0)
        m = np.ones(x.channels, np.int32)
        if self.below(2) and x.hi - x.lo < 2**20:
            m, shift = self.rng.integers(1, 60, x.channels).astype(np.int32), shift + 5
        b = self.rng.integers(-9, 10, x.channels).astype(np.int32)
        s = np.full(x.channels, shift, np.int32)
        return Requantize(
            name=name, inputs=(x.name,), m=m, b=b, s=s, zero=0, lo=out.lo, hi=out.hi, rounding=rounding,
            type=out.name,
        )  # fmt: skip

    def branch(self) -> Value:
        """Two activations of one shape, joined."""
        first = self.quantise()
        if len(first.shape) == 3 and self.below(2):
            kind = self.pick(("ternary", "bipolar"))
            kernel, pad = ((3, 3), (1, 1, 1, 1)) if self.below(2) else ((1, 1), (0, 0, 0, 0))
            weights = build.codes(self.rng, (first.channels, *kernel, first.channels), kind)
            self.add(
                Conv2d(
                    name=self.name("conv"), inputs=(first.name,), weights=weights, weight_type=kind, pad=pad,
                    bias=self.bias(first.channels), pad_value=first.lo,
                )
            )  # fmt: skip
        second = self.quantise(first.type.name if first.type.name in ACTIVATIONS else "uint2")
        joins: tuple[type[Op], ...] = (Add, Concat, Mul)
        return self.add(joins[self.below(3)](name=self.name("join"), inputs=(first.name, second.name)))

    def table(self) -> Value:
        if self.top.hi - self.top.lo > 1000:
            return self.top
        table = self.rng.integers(-8, 8, self.top.hi - self.top.lo + 1).astype(np.int32)
        return self.add(
            Lookup(
                name=self.name("table"), inputs=(self.top.name,), table=table, offset=self.top.lo, type="int4"
            )
        )


@st.composite
def graphs(draw: Callable[..., int]) -> Graph:
    """An MLP or a CNN."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = INPUTS[draw(st.integers(0, len(INPUTS) - 1))]
    shape: tuple[int, ...] = (1 + draw(st.integers(0, 40)),)
    if draw(st.booleans()):
        shape = (2 + draw(st.integers(0, 5)), 2 + draw(st.integers(0, 5)), 1 + draw(st.integers(0, 4)))
    maker = Maker(draw, rng, build.value("x", shape, kind))
    for _ in range(1 + draw(st.integers(0, 2))):
        if len(maker.top.shape) == 3:
            maker.conv(1 + maker.below(9) + 32 * (maker.below(5) == 0))
            if maker.below(2):
                maker.pool()
        else:
            maker.dense(1 + maker.below(40))
        maker.branch() if maker.below(3) == 0 else maker.quantise()
        if maker.below(4) == 0:
            maker.table()
        if len(maker.top.shape) == 3 and maker.below(3) == 0:
            maker.pool()
            if maker.top.type.bits > 8:
                maker.quantise()
    if maker.below(4) or not maker.ops:
        maker.dense(1 + maker.below(10))
        if maker.below(3) == 0:
            maker.add(Argmax(name=maker.name("best"), inputs=(maker.top.name,)))
    return maker.graph()


@st.composite
def stateful_graphs(draw: Callable[..., int]) -> Graph:
    """A dense layer on the input and a state; what comes of it is requantised into the state."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size, cells = 1 + draw(st.integers(0, 20)), 1 + draw(st.integers(0, 35))
    type = ("int8", "uint4", "bipolar", "ternary")[draw(st.integers(0, 3))]
    x, held = build.value("x", (size,), "uint2"), build.value("held", (cells,), type)
    init = np.where(rng.integers(0, 2, cells) == 1, held.lo, held.hi).astype(np.int32)
    both = Concat(name="both", inputs=("x", "held"))
    kind = ("ternary", "bipolar", "int4")[draw(st.integers(0, 2))]
    fc = Dense(
        name="fc", inputs=("both",), weights=build.codes(rng, (cells, size + cells), kind), weight_type=kind,
        bias=rng.integers(-5, 6, cells).astype(np.int32),
    )  # fmt: skip
    open_state = State(held, init, "held")
    before = Graph("random", x, (both, fc), "fc", (open_state,))
    value = before.output_value
    if type in ("bipolar", "ternary"):
        level = build.random_thresholds(rng, value, type, "level")
        t = np.sort(rng.permuted(_seen(before), axis=0)[: level.t.shape[1]].T, axis=1)  # type: ignore[attr-defined]
        after: Op = msgspec.structs.replace(level, t=t.astype(np.int32))
    else:
        out = parse(type)
        shift = max((value.hi - value.lo).bit_length() - out.bits - 1, 0)
        after = Requantize(
            name="level", inputs=("fc",), m=np.ones(cells, np.int32), b=np.zeros(cells, np.int32),
            s=np.full(cells, shift, np.int32), zero=0, lo=out.lo, hi=out.hi, rounding="floor", type=type,
        )  # fmt: skip
    shown = ("fc", "level", "both")[draw(st.integers(0, 2))]
    return replace(before, ops=(both, fc, after), output=shown, states=(State(held, init, "level"),))


@st.composite
def spiking_graphs(draw: Callable[..., int]) -> Graph:
    """One or two layers of neurons with any decay, threshold and reset, and an integrator or none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = build.value(
        "x", (1 + draw(st.integers(0, 40)),), ("binary", "uint4", "int8")[draw(st.integers(0, 2))]
    )
    top, ops, states = x, [], []
    for layer in ("a", "b")[: 1 + draw(st.integers(0, 1))]:
        cells = 1 + draw(st.integers(0, 35))
        most = (8, 200, MOST)[draw(st.integers(0, 2))]
        shift, fraction = draw(st.integers(0, 4)), draw(st.integers(0, 3))
        fc = Dense(
            name=f"{layer}.fc", inputs=(top.name,), weights=build.codes(rng, (cells, top.size), "ternary"),
            weight_type="ternary", bias=np.zeros(cells, np.int32),
        )  # fmt: skip
        theta = rng.integers(1, most + 1, cells)
        bias, begin = rng.integers(-20, 60, cells), rng.integers(0, theta)
        form = Cells(theta, bias, begin, shift, fraction, bool(draw(st.integers(0, 1))))
        made = neurons(named(layer), fc.infer([top]), form)
        ops += [fc, *made.ops]
        states.append(made.state)
        top = Value(layer, (cells,), parse("binary"), 0, 1)
    if draw(st.integers(0, 1)):
        total = integrator(named("out"), top, rng.integers(-3, 4, top.size))
        ops, states, top = ops + list(total.ops), [*states, total.state], replace(top, name="out")
    return Graph("random", x, tuple(ops), top.name, tuple(states))


def _seen(graph: Graph) -> np.ndarray:
    return run(graph, inputs(graph, 8)).outputs.reshape(-1, graph.output_value.channels)
