"""The link at its pins: good frames answered, everything else survived."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.hdl.serial import Serial, hello
from edgeternary.hdl.simulation.bench import simulate
from edgeternary.hdl.top import build
from edgeternary.link.frames import Hello, Kind, Message, Status, encode
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary_hw.serial.uart import bit_time
from tests.golden.models import MODELS
from tests.hw.serial import Host, talk

CLOCKS = 4  # a bit; boards have 12 and more
GRAPH = MODELS["mlp"]()
DESIGN = build(GRAPH, answer=True)
TEXT = hello(DESIGN, "bench", "0123456789abcdef", "edgeternary 0")


def device() -> Serial:
    return Serial(build(GRAPH, answer=True), CLOCKS * 1_000_000, 1_000_000, TEXT)


def images(count: int) -> np.ndarray:
    return ops.samples(np.random.default_rng(5), GRAPH.input, count)


def expected(x: np.ndarray) -> list[bytes]:
    numbers = run(GRAPH, x, on="numpy").outputs
    assert DESIGN.answer
    return [row.astype(f"<i{DESIGN.answer.size}").tobytes() + bytes([row.argmax()]) for row in numbers]


@pytest.mark.slow
def test_every_message() -> None:
    x = images(4)

    async def host(h: Host) -> None:
        await h.send(encode(Message(Kind.HELLO, 7)))
        assert await h.reply() == Message(Kind.HELLO, 7, TEXT, Status.OK)
        for k, (image, answer) in enumerate(zip(x, expected(x), strict=True)):
            await h.send(encode(Message(Kind.RUN, k, image.astype(np.uint8).tobytes())))
            assert await h.reply() == Message(Kind.RUN, k, answer, Status.OK)
            assert h.ctx.get(h.device.shown) == answer[-1]
        await h.send(encode(Message(Kind.CYCLES, 9)))
        cycles = await h.reply()
        assert cycles is not None and len(cycles.body) == 4
        latency = simulate(DESIGN, x[:1]).times[0] + GRAPH.input.size - DESIGN.i_beats  # a byte a cycle here
        assert abs(int.from_bytes(cycles.body, "little") - latency) < 5
        await h.send(encode(Message(Kind.RESET, 1)))
        assert await h.reply() == Message(Kind.RESET, 1, b"", Status.OK)
        for body in (b"", b"\0", bytes(range(32)), b"\0" * 32):
            await h.send(encode(Message(Kind.ECHO, 2, body)))
            assert await h.reply() == Message(Kind.ECHO, 2, body, Status.OK)

    assert talk(device(), CLOCKS, host).noise == 0
    assert Hello.decode(TEXT).input_shape == (12,)


async def alive(h: Host, tag: int = 200) -> None:
    """A good frame is answered, whatever else still comes."""
    await h.send(encode(Message(Kind.ECHO, tag, b"alive")))
    while (reply := await h.reply()) is not None:
        if reply == Message(Kind.ECHO, tag, b"alive", Status.OK):
            return
    raise AssertionError("no answer")


@pytest.mark.slow
def test_damage_and_misuse() -> None:
    x = images(1)
    good = encode(Message(Kind.RUN, 3, x[0].astype(np.uint8).tobytes()))
    refused = Message(Kind.REFUSED, 3, b"", Status.DAMAGED)

    async def host(h: Host) -> None:
        for at in range(4, len(good) - 1, 3):  # after COBS's first length, the kind and the tag
            damaged = bytearray(good)
            damaged[at] ^= 0x10 if damaged[at] != 0x10 else 0x20
            await h.send(bytes(damaged))
            assert await h.reply() == refused
        for end in (5, 9, len(good) - 2):
            await h.send(good[:end] + b"\0")
            assert await h.reply() == refused
        for kind, body, status in (
            (Kind.RUN, b"", Status.LENGTH),
            (Kind.RUN, bytes(11), Status.LENGTH),
            (Kind.RUN, bytes(13), Status.LENGTH),
            (Kind.HELLO, b"x", Status.LENGTH),
            (Kind.ECHO, bytes(33), Status.LENGTH),
            (Kind.ECHO, bytes(300), Status.LENGTH),
            (9, b"", Status.UNKNOWN),
        ):
            await h.send(encode(Message(kind, 4, body)))
            assert await h.reply() == Message(kind, 4, b"", status), (kind, body)
        await h.send(good)
        assert await h.reply() == Message(Kind.RUN, 3, expected(x)[0], Status.OK)
        await h.send(bytes(5))
        assert await h.reply(2_000) is None

    assert talk(device(), CLOCKS, host).noise == 0


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_noise(seed: int) -> None:
    """Bytes, half frames and levels of random length; every good frame among them is answered."""
    rng = np.random.default_rng(seed)
    x = images(3)

    async def host(h: Host) -> None:
        for k in range(8):
            match int(rng.integers(4)):
                case 0:
                    await h.send(rng.bytes(int(rng.integers(1, 40))))
                case 1:
                    await h.send(encode(Message(Kind.RUN, 1, rng.bytes(12)))[: int(rng.integers(1, 18))])
                case 2:
                    for _ in range(20):
                        h.ctx.set(h.device.rx, int(rng.integers(2)))
                        await h.ctx.tick().repeat(int(rng.integers(1, 3 * CLOCKS)))
                    h.ctx.set(h.device.rx, 1)
                    await h.ctx.tick().repeat(11 * CLOCKS)
                case 3:
                    await h.send(bytes(3))
            await alive(h, k)
        for image, answer in zip(x, expected(x), strict=True):
            await h.send(encode(Message(Kind.RUN, 1, image.astype(np.uint8).tobytes())))
            assert await h.reply() == Message(Kind.RUN, 1, answer, Status.OK)

    assert talk(device(), CLOCKS, host).noise == 0


@pytest.mark.slow
def test_back_to_back() -> None:
    """The next request may come while an answer is on its way; one that comes too early is dropped whole."""
    x = images(8)
    answers = expected(x)

    async def host(h: Host) -> None:
        for k, image in enumerate(x):
            await h.send(encode(Message(Kind.RUN, k, image.astype(np.uint8).tobytes())))
        found = []
        while (reply := await h.reply(3_000)) is not None:
            found.append(reply)
        assert len(found) >= 4 and found[0].tag == 0
        assert all(reply == Message(Kind.RUN, reply.tag, answers[reply.tag], Status.OK) for reply in found)
        await alive(h)

    talk(device(), CLOCKS, host)


@pytest.mark.slow
def test_baud_rates() -> None:
    """Clocks a bit need not be whole: 12 MHz and 115,200 baud are 104 1/6."""

    async def host(h: Host) -> None:
        await h.send(encode(Message(Kind.ECHO, 7, b"e")))
        assert await h.reply() == Message(Kind.ECHO, 7, b"e", Status.OK)

    talk(Serial(build(GRAPH, answer=True), 12_000_000, 115_200, TEXT), 104, host)
    with pytest.raises(ValueError, match="need a clock of 4,000,000 Hz"):
        bit_time(3_000_000, 1_000_000)
