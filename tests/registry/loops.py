"""Stateful models whose loops go through a convolution, a pool, a table, a product, an argmax."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeternary.ir import Graph, State
from edgeternary.ops import Add, Argmax, Concat, Conv2d, Dense, Lookup, MaxPool, Mul, Reshape, build
from edgeternary.ops.requantize import Requantize


def convolved(pool: bool = False, size: tuple[int, int, int] = (5, 6, 3)) -> Graph:
    """A map that is convolved with the input beside it, and pooled, at every step."""
    rng = np.random.default_rng(21)
    x, held = build.value("x", size, "uint2"), build.value("held", size, "uint2")
    both = Concat(name="both", inputs=("x", "held"))
    c = size[2]
    conv = Conv2d(
        name="conv", inputs=("both",), weights=build.codes(rng, (c, 3, 3, 2 * c), "ternary"),
        weight_type="ternary", bias=rng.integers(-3, 4, c).astype(np.int32), pad=(1, 1, 1, 1),
    )  # fmt: skip
    state = State(held, rng.integers(0, 4, size).astype(np.int32), "held")
    before = Graph("convolved", x, (both, conv), "conv", (state,))
    code = build.random_thresholds(rng, before.output_value, "uint2", "code")
    ops: tuple = (both, conv, code)
    if pool:
        flags = rng.integers(0, 2, c).astype(np.uint8)
        ops += (
            MaxPool(
                name="pooled",
                inputs=("code",),
                kernel=(3, 3),
                stride=(1, 1),
                pad=(1, 1, 1, 1),
                minimum=flags,
            ),
        )
    return replace(before, ops=ops, outputs=("conv",), states=(replace(state, next=ops[-1].name),))


def chosen() -> Graph:
    """The index of the largest sum goes through a table into the next step."""
    rng = np.random.default_rng(22)
    x, last = build.value("x", (6,), "int4"), build.value("last", (1,), "int4")
    both = Concat(name="both", inputs=("x", "last"))
    fc = Dense(
        name="fc", inputs=("both",), weights=build.codes(rng, (5, 7), "int4"), weight_type="int4",
        bias=np.zeros(5, np.int32),
    )  # fmt: skip
    best = Argmax(name="best", inputs=("fc",))
    table = Lookup(
        name="table", inputs=("best",), table=np.array([-8, 7, 3, -5, 0], np.int32), offset=0, type="int4"
    )
    return Graph("chosen", x, (both, fc, best, table), "fc", (State(last, np.array([2], np.int32), "table"),))


def gated() -> Graph:
    """held += gate * x, clamped; two values of a state, one of which comes two steps later."""
    rng = np.random.default_rng(23)
    ones = np.ones(8, np.int32)
    x, held, late = (build.value(name, (8,), "int5") for name in ("x", "held", "late"))
    fc = Dense(
        name="fc", inputs=("late",), weights=build.codes(rng, (8, 8), "ternary"), weight_type="ternary",
        bias=np.zeros(8, np.int32),
    )  # fmt: skip
    gate = build.random_thresholds(rng, fc.infer([late]), "ternary", "gate")
    product = Mul(name="product", inputs=("gate", "x"))
    total = Add(name="total", inputs=("held", "product"))
    kept = Requantize(
        name="kept", inputs=("total",), m=ones, b=0 * ones, s=0 * ones, zero=0, lo=-16, hi=15,
        rounding="floor", type="int5",
    )  # fmt: skip
    states = (State(held, -3 * ones, "kept"), State(late, np.arange(8, dtype=np.int32), "held"))
    return Graph("gated", x, (fc, gate, product, total, kept), "total", states)


def flattened() -> Graph:
    """An image that is flattened after its threshold, and kept as it was for the next step."""
    rng = np.random.default_rng(24)
    x, old = build.value("x", (3, 5, 1), "uint8"), build.value("old", (3, 5, 1), "uint8")
    code = build.random_thresholds(rng, x, "binary", "code")
    flat, before = (
        Reshape(name=n, inputs=(i,), shape=(15,)) for n, i in (("flat", "code"), ("before", "old"))
    )
    fc = Dense(
        name="fc", inputs=("flat",), weights=build.codes(rng, (15, 15), "ternary"), weight_type="ternary",
        bias=np.zeros(15, np.int32),
    )  # fmt: skip
    total = Add(name="total", inputs=("fc", "before"))
    init = rng.integers(0, 256, (3, 5, 1)).astype(np.int32)
    return Graph("flattened", x, (code, flat, before, fc, total), "total", (State(old, init, "x"),))


def pooled() -> Graph:
    return convolved(True)


LOOPS = (convolved, pooled, chosen, gated, flattened)
