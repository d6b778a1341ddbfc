"""A core on a Wishbone bus and under the names of AXI4-Stream, beside numpy."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from edgeternary.hdl.top import build
from edgeternary.hdl.wrappers import axis, wishbone
from edgeternary.ir import Graph
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary_hw import Gather
from edgeternary_hw.wishbone import INPUT, OUTPUT, SIZES, STATUS
from tests.golden.models import MODELS
from tests.hw.harness import run_part

MLP = MODELS["mlp"]()


def images(graph: Graph, count: int) -> tuple[np.ndarray, np.ndarray]:
    x = ops.samples(np.random.default_rng(9), graph.input, count)
    return x, run(graph, x, on="numpy").outputs.reshape(count, -1)


class Bus:
    def __init__(self, ctx: Any, slave: Any) -> None:
        self.ctx, self.slave = ctx, slave

    async def access(self, address: int, data: int | None = None) -> int:
        """Writes `data`, or reads."""
        ctx, slave = self.ctx, self.slave
        for port, value in (
            ("cyc", 1),
            ("stb", 1),
            ("we", data is not None),
            ("adr", address),
            ("dat", data or 0),
        ):
            ctx.set(getattr(slave, f"wb_{port}_i"), value)
        (answer,) = await ctx.tick().sample(slave.wb_dat_o).until(slave.wb_ack_o)
        ctx.set(slave.wb_stb_i, 0)
        await ctx.tick()
        return int(answer)

    async def numbers(self, count: int) -> list[int]:
        found = []
        while len(found) < count:
            if await self.access(STATUS) & 2:
                word = await self.access(OUTPUT)
                found.append(word - (word >> 31 << 32))
        return found


def on_the_bus(slave: Any, bench: Any) -> None:
    simulator = Simulator(slave)
    simulator.add_clock(1e-6)

    async def testbench(ctx: Any) -> None:
        await bench(Bus(ctx, slave))

    simulator.add_testbench(testbench)
    simulator.run()


def test_wishbone() -> None:
    x, numbers = images(MLP, 5)

    async def bench(bus: Bus) -> None:
        assert await bus.access(SIZES) == 3 | 4 << 16
        assert await bus.access(STATUS) == 1 and await bus.access(OUTPUT) == 0
        for image, row in zip(x, numbers, strict=True):
            for word in np.frombuffer(image.astype(np.uint8).tobytes(), "<u4"):
                await bus.access(INPUT, int(word))
            assert await bus.numbers(4) == [*row, row.argmax()]

    on_the_bus(wishbone(build(MLP, answer=True)), bench)


def test_wishbone_reset_and_loss() -> None:
    """A frame that was begun is forgotten at a reset; words without room are lost, and it says so."""
    x, numbers = images(MLP, 1)
    words = [int(word) for word in np.frombuffer(x[0].astype(np.uint8).tobytes(), "<u4")]

    async def bench(bus: Bus) -> None:
        await bus.access(INPUT, words[0])
        for _ in range(60):
            for word in words:
                await bus.access(INPUT, word)
        assert await bus.access(STATUS) & 4
        await bus.access(STATUS, 1)
        assert await bus.access(STATUS) == 1
        for word in words:
            await bus.access(INPUT, word)
        assert await bus.numbers(4) == [*numbers[0], numbers[0].argmax()]

    on_the_bus(wishbone(build(MLP, answer=True), depth=4), bench)


def test_axis() -> None:
    design = build(MODELS["cnn"]())
    x, numbers = images(MODELS["cnn"](), 3)
    dut = axis(design)
    got: list[int] = []
    ends: list[int] = []
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    rng = random.Random(1)

    async def source(ctx: Any) -> None:
        for pixel in x.reshape(-1):
            ctx.set(dut.s_axis_tdata, int(pixel))
            ctx.set(dut.s_axis_tvalid, 1)
            await ctx.tick().until(dut.s_axis_tready)
            ctx.set(dut.s_axis_tvalid, 0)

    async def sink(ctx: Any) -> None:
        while len(got) < numbers.size // design.o_lanes:
            ctx.set(dut.m_axis_tready, rng.random() < 0.5)
            beat = await ctx.tick().sample(
                dut.m_axis_tvalid, dut.m_axis_tready, dut.m_axis_tdata, dut.m_axis_tlast
            )
            if beat[2] and beat[3]:
                got.append(beat[4])
                ends.append(beat[5])

    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    assert [design.o_element.unpack(word, design.o_lanes) for word in got] == numbers.reshape(
        -1, design.o_lanes
    ).tolist()
    assert ends == ([0] * (design.o_beats - 1) + [1]) * 3


@pytest.mark.parametrize(
    ("size", "index", "signed"), [(1, 0, True), (2, 1, True), (3, 1, False), (4, 2, True)]
)
def test_gather(size: int, index: int, signed: bool) -> None:
    rng = random.Random(size)
    sent, wanted = [], []
    for _ in range(4):
        for length, negative in [(size, signed)] * 3 + [(index, False)] * (index > 0):
            data = rng.randbytes(length)
            sent += data
            wanted.append(int.from_bytes(data, "little", signed=negative) & 0xFFFFFFFF)
    assert run_part(Gather(3, size, index, signed=signed), [sent], len(wanted))[0] == wanted
