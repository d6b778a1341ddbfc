"""Graphs that random search found wrong once; each names what was wrong."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, State
from edgeternary.ops import Concat, Conv2d, Dense, Requantize, build
from tests.registry.graphs import act


def unsigned_state() -> Graph:
    """The initial content of a uint4 state came from a table of a signed type, which did not compile."""
    x, held = build.value("x", (3,), "uint2"), build.value("held", (2,), "uint4")
    both = Concat(name="both", inputs=("x", "held"))
    fc = Dense(
        name="fc", inputs=("both",), weights=np.array([[1, 0, -1, 1, 0], [1, 1, 1, 0, -1]], np.int8),
        weight_type="ternary", bias=np.array([3, -2], np.int32),
    )  # fmt: skip
    ones = np.ones(2, np.int32)
    level = Requantize(
        name="level", inputs=("fc",), m=ones, b=0 * ones, s=0 * ones, zero=0, lo=0, hi=15, rounding="floor",
        type="uint4",
    )  # fmt: skip
    states = (State(held, np.array([4, 11], np.int32), "level"),)
    return Graph("unsigned_state", x, (both, fc, level), "fc", states)


def unused_pad_value() -> Graph:
    """A pad value other than 0 where nothing is padded: the C template missed a constant."""
    rng = np.random.default_rng(15)
    x = build.value("x", (2, 3, 32), "int3")
    conv = Conv2d(
        name="conv", inputs=("x",), weights=build.codes(rng, (3, 1, 2, 32), "bipolar"), weight_type="bipolar",
        bias=np.zeros(3, np.int32), pad_value=-4,
    )  # fmt: skip
    return build.graph(x, conv, act(rng, build.graph(x, conv), "bipolar", "act"))


def ternary_both_ways() -> Graph:
    """Ternary codes that rise and fall: their bits came from a signed table, which did not compile."""
    rng = np.random.default_rng(16)
    x = build.value("x", (13,), "uint8")
    fc = Dense(
        name="fc", inputs=("x",), weights=build.codes(rng, (39, 13), "ternary"), weight_type="ternary",
        bias=np.zeros(39, np.int32),
    )  # fmt: skip
    codes = act(rng, build.graph(x, fc), "ternary", "codes")
    last = Dense(
        name="last", inputs=("codes",), weights=build.codes(rng, (3, 39), "bipolar"), weight_type="bipolar",
        bias=np.zeros(3, np.int32),
    )  # fmt: skip
    return build.graph(x, fc, codes, last)


def wide_weights() -> Graph:
    """A matrix of 8-bit weights that is worked on at once: its words were too wide for the simulator."""
    rng = np.random.default_rng(17)
    x = build.value("x", (45,), "int8")
    fc = Dense(
        name="fc", inputs=("x",), weights=build.codes(rng, (45, 45), "int8"), weight_type="int8",
        bias=np.zeros(45, np.int32),
    )  # fmt: skip
    return build.graph(x, fc)


def unpadded_bipolar() -> Graph:
    """A bipolar layer without pads, with the default pad value 0, which is no bipolar code: it was packed."""
    rng = np.random.default_rng(18)
    x = build.value("x", (3, 4, 40), "bipolar")
    conv = Conv2d(
        name="conv", inputs=("x",), weights=build.codes(rng, (5, 2, 3, 40), "bipolar"), weight_type="bipolar",
        bias=np.zeros(5, np.int32), stride=(1, 2),
    )  # fmt: skip
    codes = act(rng, build.graph(x, conv), "bipolar", "codes")
    last = Conv2d(
        name="last", inputs=("codes",), weights=build.codes(rng, (33, 1, 1, 5), "bipolar"),
        weight_type="bipolar", bias=np.zeros(33, np.int32),
    )  # fmt: skip
    return build.graph(x, conv, codes, last, act(rng, build.graph(x, conv, codes, last), "bipolar", "act"))


def parts_in_the_pads() -> Graph:
    """The second layer's lanes begin in its pads, below the last row that the first one makes."""
    rng = np.random.default_rng(19)
    x = build.value("x", (3, 1, 1), "bipolar")
    first = Conv2d(
        name="first", inputs=("x",), weights=build.codes(rng, (4, 4, 1, 1), "ternary"), weight_type="ternary",
        bias=np.zeros(4, np.int32), stride=(1, 2), pad=(3, 0, 2, 3), pad_value=-1,
    )  # fmt: skip
    codes = act(rng, build.graph(x, first), "uint2", "codes")
    last = Conv2d(
        name="last", inputs=("codes",), weights=build.codes(rng, (3, 2, 2, 4), "bipolar"),
        weight_type="bipolar", bias=np.zeros(3, np.int32), pad=(3, 2, 1, 3),
    )  # fmt: skip
    return build.graph(x, first, codes, last, act(rng, build.graph(x, first, codes, last), "uint2", "act"))


def lanes_of_pads() -> Graph:
    """Outer lanes that hold pads alone: a pointer to what they show was made and never read."""
    rng = np.random.default_rng(20)
    x = build.value("x", (2, 1, 3), "binary")
    conv = Conv2d(
        name="conv", inputs=("x",), weights=build.codes(rng, (8, 4, 2, 3), "bipolar"), weight_type="bipolar",
        bias=np.zeros(8, np.int32), pad=(1, 2, 1, 2),
    )  # fmt: skip
    return build.graph(x, conv, act(rng, build.graph(x, conv), "uint2", "act"))


def outputs_without_a_weight() -> Graph:
    """Channels whose list of weights is empty, in the layers that count: assembly read beyond memory."""
    rng = np.random.default_rng(21)
    x = build.value("x", (4, 4, 8), "binary")
    weights = build.codes(rng, (8, 3, 3, 8), "ternary")
    weights[[0, 3, 7]] = 0
    first = Conv2d(
        name="first", inputs=("x",), weights=weights, weight_type="ternary", bias=np.zeros(8, np.int32),
        pad=(1, 1, 1, 1),
    )  # fmt: skip
    codes = act(rng, build.graph(x, first), "binary", "codes")
    last = Conv2d(
        name="last", inputs=("codes",), weights=np.full((3, 1, 1, 8), -1, np.int8), weight_type="bipolar",
        bias=np.zeros(3, np.int32),
    )  # fmt: skip
    return build.graph(x, first, codes, last)


REGRESSIONS = (
    unsigned_state, unused_pad_value, ternary_both_ways, wide_weights, unpadded_bipolar, parts_in_the_pads,
    lanes_of_pads, outputs_without_a_weight,
)  # fmt: skip
