"""Whole designs: folding, forks that must not lock up, names, refusals."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from edgeternary.hdl.emit import rtlil
from edgeternary.hdl.fold import MAX_ROWS, MAX_TERMS
from edgeternary.hdl.folding import fold, lanes, matrices
from edgeternary.hdl.simulation.bench import simulate
from edgeternary.hdl.top import build
from edgeternary.ir import Graph
from edgeternary.ops import Add, Concat, Conv2d, Dense
from edgeternary.ops import build as make
from edgeternary.run import run
from tests.registry.graphs import WHOLE, inputs


def wide(rows: int, columns: int, weights: str = "ternary", source: str = "uint8") -> Graph:
    rng = np.random.default_rng(1)
    layer = Dense(
        name="fc", inputs=("x",), weights=make.codes(rng, (rows, columns), weights), weight_type=weights,
        bias=np.zeros(rows, np.int32),
    )  # fmt: skip
    return make.graph(make.value("x", (columns,), source), layer)


@pytest.mark.parametrize("pace", [1, 7, 64, 100_000])
@pytest.mark.parametrize("graph", [*WHOLE, lambda: wide(256, 784), lambda: wide(400, 90, "int8", "int16")])
def test_folds_divide_the_matrices_and_keep_the_pace(graph, pace: int) -> None:
    g = graph()
    folding = fold(g, pace)
    assert folding == fold(g, pace)
    for name, f in folding.folds.items():
        m = matrices(g)[name]
        assert m and m.block % f.pe == 0 and m.columns % f.simd == 0 and f.pe % f.outputs == 0
        assert m.cycles(f.pe, f.simd) <= folding.cycles
        assert f.pe <= MAX_ROWS and f.pe * f.simd * m.bits <= MAX_TERMS


@pytest.mark.parametrize("pace", [1, 4, 16])
def test_the_folding_says_how_many_cycles_a_frame_takes(pace: int) -> None:
    """In the long run a pipeline takes what its slowest layer takes."""
    g = WHOLE[0]()
    folding = fold(g, pace)
    slowest = max(m.cycles(f.pe, f.simd) for name, f in folding.folds.items() if (m := matrices(g)[name]))
    times = simulate(build(g, folding), inputs(g, 12)).times
    assert set(np.diff(times)[-4:]) == {max(slowest, g.input.size)}


def test_lanes() -> None:
    assert lanes(784, 784, 1000) == 1
    assert lanes(784, 784, 525) == 2
    assert lanes(784, 784, 525, 7) == 7  # 2 would meet the 7 of the next part at 1 a beat
    assert lanes(5, 500, 1) == 5


def branches(shape: tuple[int, int, int], seed: int) -> Graph:
    """Forks inside forks, branches of very different delay, and one value read twice by one layer."""
    rng = np.random.default_rng(seed)
    x = make.value("x", shape, "uint2")
    c = shape[2]

    def conv(name: str, source: str) -> Conv2d:
        return Conv2d(
            name=name, inputs=(source,), weights=make.codes(rng, (c, 3, 3, c), "ternary"),
            weight_type="ternary", bias=np.zeros(c, np.int32), pad=(1, 1, 1, 1),
        )  # fmt: skip

    slow = conv("slow", "x")
    code = make.random_thresholds(rng, make.graph(x, slow).output_value, "uint2", "code")
    slower = conv("slower", "code")
    twice = Add(name="twice", inputs=("x", "x"))
    first = Add(name="first", inputs=("twice", "slower"))
    last = Add(name="last", inputs=("first", "slow"))
    every = Concat(name="every", inputs=("x", "code", "last"))
    return make.graph(x, slow, code, slower, twice, first, last, every)


@pytest.mark.parametrize("stalls", [None, 1, 2])
@pytest.mark.parametrize("shape", [(6, 5, 3), (1, 9, 2), (7, 1, 1), (2, 2, 5)])
def test_forks_do_not_lock_up(shape: tuple[int, int, int], stalls: int | None) -> None:
    g = branches(shape, sum(shape))
    x = inputs(g, 4)
    np.testing.assert_array_equal(simulate(build(g), x, stalls=stalls).outputs, run(g, x).outputs)


def test_names_become_identifiers() -> None:
    g = wide(3, 4)
    names = {"fc": 'module; $finish "\\x', "x": "always@(posedge clk)"}
    layer = msgspec.structs.replace(g.ops[0], name=names["fc"], inputs=(names["x"],))
    hostile = Graph("endmodule `x", replace(g.input, name=names["x"]), (layer,), names["fc"])
    text = rtlil(hostile)
    assert "finish " not in text and "posedge clk)" not in text and "`" not in text
    assert set(re.findall(r"^module \\(\S+)", text, flags=re.M)) >= {
        "endmodule_x",
        "endmodule_x.module_finish_x",
    }
