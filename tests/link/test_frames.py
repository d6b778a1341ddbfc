"""Frames of the link: round trips, damage found, noise survived."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.link.frames import Hello, Kind, Message, Reader, Status, cobs, decode, encode, uncobs

BYTES = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([0, 1, 0xFF]), max_size=40).map(bytes),
    st.integers(250, 260).map(lambda n: b"\x07" * n),
    st.tuples(st.integers(250, 260), st.integers(0, 300)).map(
        lambda n: b"\x07" * n[0] + b"\0" + b"\x01" * n[1]
    ),
)
MESSAGES = st.builds(
    Message, st.sampled_from(Kind), st.integers(0, 255), BYTES, st.one_of(st.none(), st.sampled_from(Status))
)
HELLO = Hello("net", "uint8", (28, 28, 1), 8, "int32", (10,), 4, 1, "icebreaker", "0123456789abcdef", "0.1.0")


@given(BYTES)
def test_cobs(data: bytes) -> None:
    coded = cobs(data)
    assert 0 not in coded and uncobs(coded) == data
    assert len(coded) <= len(data) + 1 + len(data) // 254


def test_cobs_as_published() -> None:
    """Examples of Cheshire and Baker's paper and of everybody's implementation."""
    for data, coded in {
        b"": b"\1",
        b"\0": b"\1\1",
        b"\0\0": b"\1\1\1",
        b"\x11\x22\0\x33": b"\3\x11\x22\2\x33",
        b"\x11\0\0\0": b"\2\x11\1\1\1",
        bytes(range(1, 255)) + b"\xff": b"\xff" + bytes(range(1, 255)) + b"\2\xff",
    }.items():
        assert cobs(data) == coded and uncobs(coded) == data
    assert uncobs(b"\xff" + bytes(range(1, 255))) == bytes(range(1, 255))


@given(MESSAGES)
def test_messages(message: Message) -> None:
    wire = encode(message)
    assert wire[0] == wire[-1] == 0 and decode(wire[1:-1]) == message


@given(MESSAGES, st.data())
def test_a_changed_bit_is_found(message: Message, data: st.DataObject) -> None:
    wire = bytearray(encode(message))
    bit = data.draw(st.integers(8, 8 * (len(wire) - 1) - 1))
    wire[bit // 8] ^= 1 << bit % 8
    assert message not in Reader().feed(bytes(wire))


@given(st.lists(MESSAGES, max_size=4), st.binary(max_size=30), st.integers(1, 7))
def test_readers_take_any_pieces(messages: list[Message], noise: bytes, size: int) -> None:
    wire = noise + b"".join(map(encode, messages))
    reader, found = Reader(), []
    for at in range(0, len(wire), size):
        found += reader.feed(wire[at : at + size])
    assert found[len(found) - len(messages) :] == messages


@given(st.binary(max_size=60))
def test_noise_is_never_raised(noise: bytes) -> None:
    Reader().feed(noise + b"\0")


def test_endless_noise_is_not_kept() -> None:
    reader = Reader()
    for _ in range(40):
        assert reader.feed(b"\x55" * 50_000) == []
    assert len(reader._rest) <= 1 << 20
    assert reader.feed(encode(Message(Kind.ECHO, 3, b"x"))) == [Message(Kind.ECHO, 3, b"x")]
    assert reader.noise == 1


def test_hello() -> None:
    assert Hello.decode(HELLO.encode()) == HELLO
    assert Hello.decode(HELLO.encode() + b"what later versions add\n") == HELLO
    wide = replace(HELLO, input_shape=(7,), class_bytes=0)
    assert Hello.decode(wide.encode()) == wide


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"a\nb\nc\nd\ne\nf\n",
        b"n\nuint8 x 8\nint32 3 4 1\nt\nd\nb\n",
        HELLO.encode().replace(b"0.1.0", b"\x1b[2J"),
    ],
)
def test_a_hello_that_makes_no_sense(body: bytes) -> None:
    with pytest.raises(EdgeTernaryError, match="hello is invalid"):
        Hello.decode(body)


def test_another_version() -> None:
    import zlib

    data = bytes([0xA1, 0, 0])
    with pytest.raises(EdgeTernaryError, match="version 2"):
        decode(cobs(data + zlib.crc32(data).to_bytes(4, "little")))
