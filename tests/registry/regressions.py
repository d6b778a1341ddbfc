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


REGRESSIONS = (unsigned_state, unused_pad_value, ternary_both_ways, wide_weights)
