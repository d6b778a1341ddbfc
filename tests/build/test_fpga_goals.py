"""Goals are judged as soon as they can be: size after synthesis, rate after place and route."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeternary
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.run.result import Result
from tests.hdl.test_pad import KINDS, mlp
from tests.need import need


class Tools:
    """In place of synthesis, place and route, and the simulator: what they say, and whether they ran.

    luts  after synthesis, from what was estimated;  fmax  MHz of each seed
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, graph: Graph) -> None:
        from edgeternary.build import fpga
        from edgeternary.hdl import emit, estimate
        from edgeternary.hdl.tools import place, synthesis
        from edgeternary.run import cxxrtl

        self.graph = graph
        self.luts: Callable[[int], int] = lambda estimated: estimated
        self.fmax = [40.0] * 20
        self.ran: list[str] = []
        self.estimated = 0

        def rtlil(design: Any) -> str:
            self.estimated = estimate.total(design, design_device(design))["luts"]
            return str(design.cycles)

        def design_device(design: Any) -> str:
            return "up5k"

        def synthesise(*_: Any) -> tuple[dict[str, Any], Path]:
            self.ran.append("synthesis")
            return {"luts": self.luts(self.estimated), "ffs": 1, "ram_blocks": 3, "multipliers": 0}, Path()

        def placed(netlist: Path, part: Any, count: int, **_: Any) -> list[place.Placed]:
            self.ran.append(f"{count} seeds")
            return [place.Placed(k + 1, self.fmax[k], 100, 3) for k in range(count)]

        def simulate(
            design: Any, name: str, text: str, read: str, inputs: np.ndarray, options: Any
        ) -> Result:
            self.ran.append("simulator")
            return Result(run(self.graph, inputs).outputs, stats={"cycles": design.cycles, "latency": 99})

        monkeypatch.setattr(emit, "design_rtlil", rtlil)
        monkeypatch.setattr(emit, "design_verilog", rtlil)
        monkeypatch.setattr(fpga, "written", lambda *_: {})
        monkeypatch.setattr(synthesis, "synthesise", synthesise)
        monkeypatch.setattr(place, "place", placed)
        monkeypatch.setattr(place, "pack", lambda best, part: b"bits")
        monkeypatch.setattr(place, "version", lambda part: "nextpnr")
        monkeypatch.setattr(cxxrtl, "simulate", simulate)


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    need("amaranth")
    return Tools(monkeypatch, mlp(KINDS[3], 96, 64, 6))


def build(tools: Tools, **constraints: Any) -> Any:
    return edgeternary.compile(tools.graph, device="up5k", build=True, hardware=Constraints(**constraints))


def test_a_rate_that_routing_reaches_is_built(tools: Tools) -> None:
    tools.fmax = [30.0, 43.0, 41.0, 20.0, 30.0]
    project = build(tools, fps=100_000)
    assert project.measured["frames_per_s"] >= 100_000 and project.measured["seed"] == 2
    assert tools.ran == ["synthesis", "5 seeds", "simulator"]


def test_more_seeds_are_placed_while_the_rate_is_missed(tools: Tools) -> None:
    tools.fmax = [30.0] * 6 + [44.0] * 14
    assert build(tools, fps=100_000).measured["seeds"] == 7
    assert tools.ran == ["synthesis", "5 seeds", "6 seeds", "7 seeds", "simulator"]


def test_a_missed_rate_is_refused_with_what_was_reached(tools: Tools) -> None:
    tools.fmax = [30.0] * 20
    with pytest.raises(EdgeTernaryError, match=r"reaches [\d,]+ of 100,000 frames/s on Lattice") as caught:
        build(tools, fps=100_000)
    assert caught.value.code == DOES_NOT_FIT and "the best of 10 seeds has 30 MHz" in caught.value.why
    assert "simulator" not in tools.ran
    assert (named := re.search(r"--clock ([\d.]+), which plans for fewer cycles", caught.value.remedy))
    assert build(tools, fps=100_000, clock=float(named[1])).measured["frames_per_s"] >= 100_000


def test_the_number_of_seeds_that_is_asked_for_stays(tools: Tools) -> None:
    tools.fmax = [30.0] * 20
    with pytest.raises(EdgeTernaryError, match="the best of 2 seeds"):
        build(tools, fps=100_000, seeds=2)
    assert tools.ran == ["synthesis", "2 seeds"]


def test_wires_are_held_to_a_rate_as_well(tools: Tools) -> None:
    tools.graph, tools.fmax = mlp(KINDS[0], 12, 8, 3), [30.0] * 20
    most = build(tools, latency=9).estimates["frames_per_s"]
    with pytest.raises(EdgeTernaryError, match=r"reaches [\d,]+ of [\d,]+ frames/s on Lattice"):
        build(tools, latency=9, fps=0.9 * most)
    with pytest.raises(EdgeTernaryError, match=r"does not reach [\d,]+ frames/s.*a frame takes.*--fps \d+"):
        build(tools, latency=9, fps=1.1 * most)
    assert build(tools, latency=9, fps=0.7 * most).measured["frames_per_s"] >= 0.7 * most


def test_what_the_part_does_not_have_is_refused_after_synthesis(tools: Tools) -> None:
    tools.luts = lambda estimated: 6000
    with pytest.raises(EdgeTernaryError, match=r"does not fit Lattice .*: synthesis gives 6,000") as caught:
        build(tools, fps=100_000)
    assert caught.value.code == DOES_NOT_FIT and tools.ran == ["synthesis"]


def test_more_luts_than_allowed_are_refused_after_synthesis(tools: Tools) -> None:
    estimated = build(tools, fps=100_000).estimates["luts"]
    tools.luts, tools.ran[:] = lambda estimated: int(1.4 * estimated), []
    with pytest.raises(EdgeTernaryError, match="takes more LUTs than --max-luts allows") as caught:
        build(tools, fps=100_000, max_luts=int(1.2 * estimated))
    assert caught.value.code == DOES_NOT_FIT and tools.ran == ["synthesis"]
    assert (named := re.search(r"--max-luts (\d+)", caught.value.remedy))
    assert build(tools, fps=100_000, max_luts=int(named[1])).measured["luts"] == int(named[1])


def test_a_limit_of_luts_is_kept_by_what_was_synthesised(tools: Tools) -> None:
    """Not by the estimate alone: a smaller design is planned."""
    tools.luts = lambda estimated: int(1.15 * estimated)
    project = build(tools, maximize=True, max_luts=1500)
    assert project.measured["luts"] <= 1500 and project.estimates["luts"] <= 1305
    assert tools.ran.count("synthesis") >= 2
