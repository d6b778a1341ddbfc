"""A model with states on a serial port, on a Wishbone bus and on AXI4-Stream: a reset forgets them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from edgeternary.hdl.serial import Serial, hello
from edgeternary.hdl.top import build
from edgeternary.hdl.wrappers import Core, axis, wishbone
from edgeternary.link.codec import encode_input
from edgeternary.link.frames import Hello, Kind, Message, Status, encode
from edgeternary.run import run
from edgeternary_hw import State
from edgeternary_hw.wishbone import INPUT, STATUS
from tests.hw.harness import run_part
from tests.hw.serial import Host, talk
from tests.hw.test_wrappers import Bus, on_the_bus
from tests.registry.graphs import inputs, leaky

CLOCKS = 4  # a bit
GRAPH = leaky()
STEPS = inputs(GRAPH, 2, steps=4)
OUTPUTS = run(GRAPH, STEPS).outputs


def by_uart(reset: bool) -> list[list[int]]:
    """The spikes of every step; with `reset` each sample begins with one."""
    text = hello(build(GRAPH, answer=True), "bench", "0123456789abcdef", "edgeternary 0")
    serial = Serial(build(GRAPH, answer=True), CLOCKS * 1_000_000, 1_000_000, text)
    found: list[list[int]] = []

    async def host(h: Host) -> None:
        for sample in STEPS:
            if reset:
                await h.send(encode(Message(Kind.RESET, 1)))
                assert await h.reply() == Message(Kind.RESET, 1, b"", Status.OK)
            for step in sample:
                await h.send(encode(Message(Kind.RUN, 2, encode_input(Hello.decode(text), step))))
                reply = await h.reply()
                assert reply is not None and reply.status == Status.OK
                found.append(list(reply.body[:4]))

    assert talk(serial, CLOCKS, host).noise == 0
    return found


@pytest.mark.slow
def test_the_reset_request_forgets_the_states() -> None:
    assert by_uart(True) == OUTPUTS.reshape(-1, 4).tolist()


@pytest.mark.slow
def test_without_it_they_live_on() -> None:
    one = run(GRAPH, STEPS.reshape(1, -1, *GRAPH.input.shape)).outputs
    assert by_uart(False) == one.reshape(-1, 4).tolist() != OUTPUTS.reshape(-1, 4).tolist()


def test_wishbone() -> None:
    async def bench(bus: Bus) -> None:
        for sample, expected in zip(STEPS, OUTPUTS, strict=True):
            await bus.access(STATUS, 1)
            for step, row in zip(sample, expected, strict=True):
                word = sum(int(bit) << k for k, bit in enumerate(step))  # 9 events, a bit each
                await bus.access(INPUT, word)
                assert (await bus.numbers(5))[:4] == row.tolist()

    on_the_bus(wishbone(Core(build(GRAPH, answer=True), alone=True)), bench)


def test_axis() -> None:
    """All steps back to back; TUSER comes with the first beat of a sample, and is ignored with others."""
    design = build(GRAPH)
    dut = axis(Core(design, alone=True))
    words = [
        (int(word), k // design.i_beats % 4 == 0 if k % design.i_beats == 0 else True)
        for k, word in enumerate(
            design.i_element.pack(row) for row in STEPS.reshape(-1, design.i_lanes).tolist()
        )
    ]
    got: list[int] = []
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def source(ctx: Any) -> None:
        for k, (word, first) in enumerate(words):
            ctx.set(dut.s_axis_tdata, word)
            ctx.set(dut.s_axis_tlast, k % design.i_beats == design.i_beats - 1)
            ctx.set(dut.s_axis_tuser, first)
            ctx.set(dut.s_axis_tvalid, 1)
            await ctx.tick().until(dut.s_axis_tready)
            ctx.set(dut.s_axis_tvalid, 0)

    async def sink(ctx: Any) -> None:
        ctx.set(dut.m_axis_tready, 1)
        while len(got) < OUTPUTS.size // design.o_lanes:
            got.extend([(await ctx.tick().sample(dut.m_axis_tdata).until(dut.m_axis_tvalid))[0]])

    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    numbers = [design.o_element.unpack(word, design.o_lanes) for word in got]
    assert numbers == OUTPUTS.reshape(-1, design.o_lanes).tolist()


@pytest.mark.parametrize("initial", [[5], [7, 7, 7], [1, 2, 3, 4], list(range(9))])
def test_the_part(initial: list[int]) -> None:
    """What is written comes a frame later; where `first` is 1 the initial contents come in its place."""
    rng = np.random.default_rng(len(initial))
    frames = rng.integers(0, 256, (30, len(initial))).tolist()
    bits = rng.integers(0, 2, 30).tolist()
    expected = [initial if bit or k == 0 else frames[k - 1] for k, bit in enumerate(bits)]
    flat = [word for frame in expected for word in frame]
    written = [word for frame in frames for word in frame]
    for seed in range(3):
        part = State(8, initial, 3)
        assert run_part(part, [written, bits], len(flat), seed=seed)[0] == flat
