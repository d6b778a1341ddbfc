"""Networks with several streams: heads of very different speed, and sinks that take one after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import frames, top
from edgeternary.hdl.emit import design_rtlil, design_verilog
from edgeternary.hdl.simulation.bench import long_integers, simulate
from edgeternary.hdl.simulation.live import Live
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from edgeternary.ir.ports import join
from edgeternary.ops import Add, Conv2d, Dense, Reshape
from edgeternary.ops import build as make
from edgeternary.run import numpy
from tests.registry.graphs import named_inputs
from tests.registry.several import several, two_heads

FRAMES = 3
PATIENCE = 2000  # cycles


def fast_and_slow() -> Graph:
    """Two maps are added: the sum leaves at once, the answer of a convolution and a dense layer later."""
    rng = np.random.default_rng(5)
    image, more = make.value("image", (8, 8, 2), "uint2"), make.value("more", (8, 8, 2), "uint2")
    both = Add(name="both", inputs=("image", "more"))
    conv = Conv2d(
        name="conv", inputs=("both",), weights=make.codes(rng, (6, 3, 3, 2), "ternary"), pad=(1, 1, 1, 1),
        weight_type="ternary", bias=np.zeros(6, np.int32),
    )  # fmt: skip
    flat = Reshape(name="flat", inputs=("conv",), shape=(384,))
    before = Graph("before", (image, more), (both, conv, flat), "flat")
    act = make.random_thresholds(rng, before.output_value, "uint2", "act")
    slow = Dense(
        name="slow", inputs=("act",), weights=make.codes(rng, (5, 384), "ternary"), weight_type="ternary",
        bias=np.zeros(5, np.int32),
    )  # fmt: skip
    return Graph("fast_and_slow", (image, more), (*before.ops, act, slow), ("both", "slow", "flat"))


def in_turn(design: Design, codes: np.ndarray, sinks: Sequence[int]) -> list[list[int]]:
    """The beats of each stream out, where frame by frame one output after the other is taken, in the order
    `sinks`. TimeoutError where it hangs."""
    words = [frames.payloads(part) for part in design.stimuli(codes)]
    ins = [getattr(design.top, port.name) for port in design.ins]
    outs = [getattr(design.top, port.name) for port in design.outs]
    found: list[list[int]] = [[] for _ in outs]
    hung: list[str] = []

    def sender(port: Any, beats: list[int]) -> Any:
        async def send(ctx: Any) -> None:
            for beat in beats:
                ctx.set(port.payload, beat)
                ctx.set(port.valid, 1)
                while not (await ctx.tick().sample(port.ready))[2]:
                    pass
            ctx.set(port.valid, 0)

        return send

    async def take(ctx: Any) -> None:
        idle = 0
        for number in range(len(codes)):
            for k in sinks:
                ctx.set(outs[k].ready, 1)
                while len(found[k]) < (number + 1) * design.outs[k].beats:
                    _, _, valid, payload = await ctx.tick().sample(outs[k].valid, outs[k].payload)
                    idle = 0 if valid else idle + 1
                    if valid:
                        found[k].append(payload)
                    if idle > PATIENCE:
                        hung.append(design.outs[k].name)
                        return
                ctx.set(outs[k].ready, 0)

    with long_integers():
        simulator = Simulator(design.top)
    simulator.add_clock(1e-6)
    for port, beats in zip(ins, words, strict=True):
        simulator.add_testbench(sender(port, beats), background=True)
    simulator.add_testbench(take)
    simulator.run()
    if hung:
        raise TimeoutError(hung[0])
    return found


def check(graph: Graph, design: Design, sinks: Sequence[int]) -> None:
    codes = join(graph.inputs, named_inputs(graph, FRAMES))
    beats = in_turn(design, codes, sinks)
    words = [
        frames.words(part, len(getattr(design.top, port.name).payload))
        for part, port in zip(beats, design.outs, strict=True)
    ]
    np.testing.assert_array_equal(design.gathered(words, (FRAMES,)), numpy.run(graph, codes).outputs)


@pytest.mark.parametrize("sinks", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_sinks_in_turn(sinks: tuple[int, ...]) -> None:
    """It does not matter which output of a frame is taken first."""
    graph = fast_and_slow()
    design = build(graph)
    assert [port.name for port in design.ins] == ["i_image", "i_more"]
    assert [port.name for port in design.outs] == ["o_both", "o_slow", "o_flat"]
    check(graph, design, sinks)


@pytest.mark.parametrize("seed", range(4))
def test_random_graphs_in_turn(seed: int) -> None:
    graph = several(seed, wide=False, states=False)
    order = range(len(graph.outputs))
    check(graph, build(graph), list(order)[:: -1 if seed % 2 else 1])


def test_without_memory_in_the_branches_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top, "capacities", lambda graph, readers, *more: [0] * len(readers))
    with pytest.raises(TimeoutError):
        check(fast_and_slow(), build(fast_and_slow()), (1, 0, 2))


@pytest.mark.slow
def test_cycles_latency_and_text() -> None:
    graph = fast_and_slow()
    design, codes = build(graph), join(graph.inputs, named_inputs(graph, 8))
    times = simulate(design, codes).times
    assert times[-1] - times[-2] <= design.cycles + 2
    alone = Live(build(graph))
    alone.frame(codes[0])
    assert alone.cycles == design.latency
    text = design_verilog(design)
    assert "o_slow  output slow, int32" in text and "i_more  input more, uint2" in text
    assert "module fast_and_slow" in text and "\\i_image__payload " in design_rtlil(design)


def test_one_frame_after_the_other() -> None:
    graph = two_heads()
    live, codes = Live(build(graph)), join(graph.inputs, named_inputs(graph, 3))
    for sample, right in zip(codes, numpy.run(graph, codes).outputs, strict=True):
        np.testing.assert_array_equal(live.frame(sample), right)


def test_what_needs_one_stream_says_so() -> None:
    with pytest.raises(EdgeTernaryError, match="2 inputs and 2 outputs"):
        build(two_heads(), answer=True)
    with pytest.raises(EdgeTernaryError, match="has 2 inputs"):
        _ = build(two_heads()).i_lanes
