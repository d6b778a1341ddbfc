"""protocol.c against the host's frames.py, under sanitizers: messages, statuses, noise, cuts, excess."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeternary.data import firmware_dir
from edgeternary.link.frames import Kind, Message, Status, cobs, encode
from edgeternary.toolchains import compilers
from tests.firmware import host
from tests.need import need

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def device() -> Path:
    need("gcc")
    return host.build()


def one(device: Path, wire: bytes) -> Message:
    replies, noise = host.talk(device, wire)
    assert noise == 0 and len(replies) == 1
    return replies[0]


def framed(data: bytes) -> bytes:
    return b"\0" + cobs(data + zlib.crc32(data).to_bytes(4, "little")) + b"\0"


def ok(kind: Kind, tag: int, body: bytes = b"") -> Message:
    return Message(kind, tag, body, Status.OK)


def test_hello_reset_and_echo(device: Path) -> None:
    assert one(device, encode(Message(Kind.HELLO, 7))) == ok(Kind.HELLO, 7, host.HELLO)
    assert one(device, encode(Message(Kind.RESET, 0))) == ok(Kind.RESET, 0)
    for body in (b"", b"\0", b"\0" * 48, b"\xff" * 48, bytes(range(48))):
        assert one(device, encode(Message(Kind.ECHO, 255, body))) == ok(Kind.ECHO, 255, body)


def test_run_state_and_cycles(device: Path) -> None:
    body = bytes(range(7, 55))
    asked = [Message(kind, tag, body if kind == Kind.RUN else b"") for tag, kind in enumerate(
        (Kind.CYCLES, Kind.RUN, Kind.RUN, Kind.CYCLES, Kind.RESET, Kind.RUN))]  # fmt: skip
    replies, noise = host.talk(device, b"".join(map(encode, asked)))
    counts = [b"".join((runs * 0x01000100 + i).to_bytes(4, "little") for i in range(3)) for runs in (0, 2)]
    assert noise == 0 and replies == [
        ok(Kind.CYCLES, 0, counts[0]), ok(Kind.RUN, 1, host.answer(body, 0)),
        ok(Kind.RUN, 2, host.answer(body, 1)), ok(Kind.CYCLES, 3, counts[1]), ok(Kind.RESET, 4),
        ok(Kind.RUN, 5, host.answer(body, 0)),
    ]  # fmt: skip


def test_statuses(device: Path) -> None:
    refused = {
        encode(Message(Kind.RUN, 9, bytes(47))): (Kind.RUN, Status.LENGTH),
        encode(Message(Kind.RUN, 9, bytes(49))): (Kind.RUN, Status.LENGTH),
        encode(Message(Kind.RUN, 9, bytes(5000))): (Kind.RUN, Status.LENGTH),
        encode(Message(Kind.HELLO, 9, b"x")): (Kind.HELLO, Status.LENGTH),
        encode(Message(Kind.CYCLES, 9, b"x")): (Kind.CYCLES, Status.LENGTH),
        encode(Message(Kind.RESET, 9, b"x")): (Kind.RESET, Status.LENGTH),
        encode(Message(Kind.ECHO, 9, bytes(49))): (Kind.ECHO, Status.LENGTH),
        encode(Message(Kind.ECHO, 9, b"\1" * 100_000)): (Kind.ECHO, Status.LENGTH),
        framed(b"\x16\x09"): (6, Status.UNKNOWN),
        framed(b"\x10\x09"): (0, Status.UNKNOWN),
        framed(b"\x21\x09"): (Kind.HELLO, Status.UNKNOWN),
        framed(b"\x91\x09"): (Kind.HELLO, Status.UNKNOWN),
        encode(Message(Kind.RUN, 9, b"\xee" + bytes(47))): (Kind.RUN, Status.FAILED),
        b"\0\5\x11\x09\2\2\0": (Kind.REFUSED, Status.DAMAGED),
        b"\0\xff\x11\x09\0": (Kind.REFUSED, Status.DAMAGED),
    }
    for wire, (kind, status) in refused.items():
        assert one(device, wire) == Message(kind, 9, b"", status), wire[:12]


def test_damage_is_never_acted_on(device: Path) -> None:
    """Every bit of a request turned over, each followed by a good one."""
    body = bytes(range(100, 148))
    wire, good = encode(Message(Kind.RUN, 1, body)), encode(Message(Kind.CYCLES, 2))
    for bit in range(8, 8 * len(wire) - 8):
        bad = bytearray(wire)
        bad[bit // 8] ^= 1 << bit % 8
        replies, _ = host.talk(device, bytes(bad) + good)
        assert replies[-1] == ok(Kind.CYCLES, 2, bytes(4) + b"\1\0\0\0\2\0\0\0"), bit
        assert all(reply.status == Status.DAMAGED for reply in replies[:-1])


def test_cut_short(device: Path) -> None:
    wire, good = encode(Message(Kind.ECHO, 1, b"\0\1\2\3" * 9)), encode(Message(Kind.ECHO, 2, b"yes"))
    for size in range(len(wire)):
        assert host.talk(device, wire[:size] + good)[0][-1] == ok(Kind.ECHO, 2, b"yes")


def test_no_frame_between_two_zeros(device: Path) -> None:
    assert host.talk(device, bytes(1000)) == ([], 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=200), st.binary(max_size=48)), max_size=5))
def test_noise_between_frames(device: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    wire = b"".join(
        noise + encode(Message(Kind.ECHO, 200 + i, body)) for i, (noise, body) in enumerate(pairs)
    )
    echoes = [reply for reply in host.talk(device, wire)[0] if reply.kind == Kind.ECHO and reply.tag >= 200]
    assert echoes == [ok(Kind.ECHO, 200 + i, body) for i, (_, body) in enumerate(pairs)]


def test_a_thousand_frames_in_noise(device: Path) -> None:
    rng = random.Random(5)
    bodies = [rng.randbytes(rng.randrange(49)) for _ in range(1000)]
    wire = b"".join(
        rng.randbytes(rng.randrange(60)) + encode(Message(Kind.ECHO, i & 255, body))
        for i, body in enumerate(bodies)
    )
    good = [r for r in host.talk(device, wire)[0] if r.status == Status.OK]
    assert good == [ok(Kind.ECHO, i & 255, body) for i, body in enumerate(bodies)]


@pytest.mark.parametrize("name", ["gcc", "clang", pytest.param("zig", marks=pytest.mark.emulator)])
def test_it_compiles_everywhere(name: str) -> None:
    need(name)
    compilers.build(compilers.for_host(name), host.sources("serve.c"))


def test_it_stands_alone() -> None:
    """No writable variable, no library but the types."""
    text = (firmware_dir() / "core" / "protocol.c").read_text()
    assert {line for line in text.splitlines() if line.startswith("#include")} == {
        '#include "protocol.h"',
        "#include <stddef.h>",
    }
    assert text.count("static const") == text.count("    static ")
