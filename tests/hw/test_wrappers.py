"""A core on a Wishbone bus and under the names of AXI4-Stream, beside numpy."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from edgeternary.hdl.top import build
from edgeternary.hdl.wrappers import ROOMS, Core, axis, wishbone
from edgeternary.ir import Graph
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary_hw import Fields, Words
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


@pytest.mark.parametrize("answer", [True, False])
def test_wishbone(answer: bool) -> None:
    x, numbers = images(MLP, 5)

    async def bench(bus: Bus) -> None:
        assert await bus.access(SIZES) == 3 | 4 << 16
        assert await bus.access(STATUS) == 1 and await bus.access(OUTPUT) == 0
        for image, row in zip(x, numbers, strict=True):
            for word in np.frombuffer(image.astype(np.uint8).tobytes(), "<u4"):
                await bus.access(INPUT, int(word))
            assert await bus.numbers(4) == [*row, row.argmax()]

    on_the_bus(wishbone(Core(build(MLP, answer=answer), alone=True)), bench)


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

    on_the_bus(wishbone(Core(build(MLP, answer=True), alone=True), depth=4), bench)


def packets(graph: Graph, sent: list[list[int]], seed: int = 1) -> tuple[list[list[int]], int, int]:
    """The packets that answer packets of beats, and how often TLAST came early and not at all."""
    dut = axis(Core(build(graph), alone=True))
    got: list[list[int]] = [[]]
    events = [0, 0]
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    rng = random.Random(seed)

    async def source(ctx: Any) -> None:
        for packet in sent:
            for k, beat in enumerate(packet):
                ctx.set(dut.s_axis_tdata, beat)
                ctx.set(dut.s_axis_tlast, k == len(packet) - 1)
                ctx.set(dut.s_axis_tvalid, 1)
                await ctx.tick().until(dut.s_axis_tready)
                ctx.set(dut.s_axis_tvalid, 0)

    async def watch(ctx: Any) -> None:
        async for _, _, early, late in ctx.tick().sample(dut.event_tlast_unexpected, dut.event_tlast_missing):
            events[0] += early
            events[1] += late

    async def sink(ctx: Any) -> None:
        while len(got) <= len(sent):
            ctx.set(dut.m_axis_tready, rng.random() < 0.5)
            _, _, valid, ready, data, last = await ctx.tick().sample(
                dut.m_axis_tvalid, dut.m_axis_tready, dut.m_axis_tdata, dut.m_axis_tlast
            )
            if valid and ready:
                got[-1].append(data)
                if last:
                    got.append([])

    simulator.add_testbench(source, background=True)
    simulator.add_testbench(watch, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    return got[:-1], *events


def in_bytes(graph: Graph, image: np.ndarray) -> list[int]:
    """Beats of whole elements, an element a byte, as they lie in memory."""
    lanes = build(graph).i_lanes
    return [
        int.from_bytes(bytes(row), "little") for row in image.reshape(-1, lanes).astype(np.uint8).tolist()
    ]


def from_memory(graph: Graph, packet: list[int]) -> list[int]:
    """The numbers of an answer that was written to memory beat by beat."""
    dut = axis(Core(build(graph), alone=True))
    fields, size = dut.fields[1], len(dut.m_axis_tdata) // 8
    memory = b"".join(beat.to_bytes(size, "little")[: fields.lanes * fields.room // 8] for beat in packet)
    return np.frombuffer(memory, f"<i{fields.room // 8}").tolist()


@pytest.mark.parametrize("model", sorted(MODELS))
def test_axis(model: str) -> None:
    """A packet a frame; TDATA is an array of numbers that are no wider than their interval asks for."""
    graph = MODELS[model]()
    x, numbers = images(graph, 3)
    dut = axis(Core(build(graph), alone=True))
    assert graph.output_value.type.name == "int32" and dut.fields[1].room == 8
    assert len(dut.m_axis_tdata) in (8, 16, 32) and len(dut.s_axis_tdata) % 8 == 0
    found, *events = packets(graph, [in_bytes(graph, image) for image in x])
    np.testing.assert_array_equal([from_memory(graph, packet) for packet in found], numbers)
    assert events == [0, 0]


@pytest.mark.parametrize("beats", [-5, -1, 1, 5])
def test_a_misplaced_tlast(beats: int) -> None:
    """A short packet is filled up with zeros, of a long one the end is dropped: one answer for each, and the
    packets before and after are right."""
    graph = MODELS["cnn"]()
    x, numbers = images(graph, 3)
    frames = [in_bytes(graph, image) for image in x]
    count = len(frames[1])
    wrong = (frames[1] * 2)[: count + beats]
    found, early, late = packets(graph, [frames[0], wrong, frames[2]])
    seen = np.array((wrong + [0] * count)[:count]).reshape(x[1].shape)
    wanted = [numbers[0], run(graph, seen[None], on="numpy").outputs.reshape(-1), numbers[2]]
    np.testing.assert_array_equal([from_memory(graph, packet) for packet in found], wanted)
    assert (early, late) == (int(beats < 0), int(beats > 0))


def test_a_wrapper_that_does_not_look_at_tlast_is_seen() -> None:
    """A seeded fault: TLAST tied to the last beat shifts all frames after a short one."""
    graph = MODELS["cnn"]()
    x, _ = images(graph, 3)
    short = [in_bytes(graph, image) for image in x]
    count = len(short[1])
    del short[1][-1]
    right, _, _ = packets(graph, short)
    beats = [beat for packet in short for beat in packet] + [0]
    shifted, _, _ = packets(graph, [beats[k : k + count] for k in range(0, 3 * count, count)])
    assert shifted[2] != right[2]


@pytest.mark.parametrize(
    ("lanes", "width", "bits"), [(1, 1, 8), (7, 1, 8), (3, 11, 64), (10, 12, 256), (1, 17, 32)]
)
def test_tdata_is_a_power_of_two_bytes(lanes: int, width: int, bits: int) -> None:
    room = next(room for room in ROOMS if room >= width)
    assert Fields(width, room, lanes, 4).bits == bits


@pytest.mark.parametrize(
    ("size", "index", "signed"), [(1, 0, True), (2, 1, True), (3, 1, False), (4, 2, True)]
)
def test_bytes_of_answers_become_words(size: int, index: int, signed: bool) -> None:
    rng = random.Random(size)
    sent, wanted = [], []
    for _ in range(4):
        for length, negative in [(size, signed)] * 3 + [(index, False)] * (index > 0):
            data = rng.randbytes(length)
            sent += data
            wanted.append(int.from_bytes(data, "little", signed=negative) & 0xFFFFFFFF)
    assert run_part(Words(3, size, index, signed=signed), [sent], len(wanted))[0] == wanted
