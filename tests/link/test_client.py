"""The client against a device with faults: it corrects what it can, and says in words what it cannot."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.link.client import Client
from edgeternary.link.codec import check_model, decode_answer, encode_input
from edgeternary.link.converse import converse
from edgeternary.link.frames import Kind
from edgeternary.link.ports import open_port, port_names
from edgeternary.ops import build as ops
from edgeternary.run import run
from tests.c.graphs import stateful
from tests.link.fake import Fake, hello_of, other, small
from tests.need import need


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("pyserial")


def images(graph: Graph, count: int = 5) -> np.ndarray:
    return ops.samples(np.random.default_rng(3), graph.input, count)


def talk(fake: Fake, count: int = 5, attempts: int = 3, patience: float = 1.0) -> Client:
    """Hello and `count` samples, compared with numpy."""
    x = images(fake.graph, count)
    with Client.open(fake.port, 1_000_000, patience, attempts, patience) as client:
        hello = client.hello()
        check_model(hello, fake.graph, fake.port, "0123456789abcdef" * 4)
        found = converse(client, hello, fake.graph, x)
        np.testing.assert_array_equal(found.outputs, run(fake.graph, x, on="numpy").outputs)
        assert found.mean_cycles() == [1000, 700, 300]
        client.reset()
        assert client.echo(bytes(range(32))) == bytes(range(32))
    return client


def test_everything_once() -> None:
    with Fake() as fake:
        assert talk(fake).repeats == 0
    assert [message.kind for message in fake.requests[:3]] == [Kind.HELLO, Kind.RUN, Kind.CYCLES]
    assert len({message.tag for message in fake.requests}) == len(fake.requests)


@pytest.mark.parametrize("shape", [(5,), (3, 4, 2)])
@pytest.mark.parametrize("kind", ["uint2", "int8", "bipolar", "ternary", "binary", "uint16", "int5"])
def test_inputs_of_every_type(kind: str, shape: tuple[int, ...]) -> None:
    """Against the encoder of the hardware, where the wire has the bits of the type."""
    need("amaranth")
    from edgeternary.hdl.elements import port_element
    from edgeternary.hdl.frames import pack

    value = ops.value("x", shape, kind)
    (x,) = ops.samples(np.random.default_rng(1), value, 1)
    bits = next(bits for bits in (1, 2, 4, 8, 16) if bits >= value.type.bits)
    hello = other(hello_of(small()), input_type=kind, input_shape=shape, input_bits=bits)
    found = np.frombuffer(encode_input(hello, x), np.uint8)
    if bits == value.type.bits:
        words = pack(x, port_element(value), x.size)
        np.testing.assert_array_equal(found, words.view(np.uint8)[0, : len(found)])
    else:
        unpacked = np.unpackbits(found, bitorder="little")[: bits * x.size].reshape(-1, bits)
        numbers = unpacked.astype(int) @ (1 << np.arange(bits))
        np.testing.assert_array_equal(
            numbers - (unpacked[:, -1].astype(int) << bits) * (x.ravel() < 0), x.ravel()
        )


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_answers_of_every_width(size: int) -> None:
    numbers = np.array([-5, 0, 2 ** (8 * size - 1) - 1], np.int64)
    body = b"".join(int(n).to_bytes(size, "little", signed=True) for n in numbers) + b"\2"
    hello = other(hello_of(small()), output_bytes=size)
    found, index = decode_answer(hello, body)
    np.testing.assert_array_equal(found, numbers)
    assert index == 2
    with pytest.raises(EdgeTernaryError, match="wrong length"):
        decode_answer(hello, body + b"\0")


def test_states_are_reset_and_never_stepped_twice() -> None:
    graph = stateful()
    x = np.random.default_rng(0).integers(graph.input.lo, graph.input.hi + 1, (3, 4, *graph.input.shape))
    x = x.astype(np.int32)
    # the third answer is lost after the device has moved on
    fake = Fake(graph, wire=lambda data, n: b"" if n in (6, 11) else data)
    with fake, Client.open(fake.port, 1_000_000, 0.2, seconds=0.2) as client:
        found = converse(client, client.hello(), graph, x)
    np.testing.assert_array_equal(found.outputs, run(graph, x, on="numpy").outputs)


def test_lost_damaged_and_doubled_replies() -> None:
    def wire(data: bytes, n: int) -> bytes:
        kinds = (b"", data[:-4] + b"\7" + data[-3:], data + data, data[: len(data) // 2], b"\x55\x13" + data)
        return kinds[n // 2 % 5] if n % 2 else data

    with Fake(wire=wire) as fake:
        assert talk(fake, 10, attempts=6, patience=0.3).repeats > 3


def test_a_hello_that_a_starting_device_lost_is_sent_again_soon() -> None:
    """An emulated board may take no bytes yet, and the time for an answer of an emulator is long."""
    begin = time.monotonic()
    fake = Fake(wire=lambda data, n: b"" if n == 0 else data)
    with fake, Client.open(fake.port, 1_000_000, patience=120) as client:
        assert client.hello().name and client.repeats == 1
    assert time.monotonic() - begin < 10


def test_late_replies_are_never_taken_for_another() -> None:
    with Fake(delay=lambda n: 0.4 if n % 3 == 1 else 0.0) as fake:
        assert talk(fake, 4, patience=0.25, attempts=5).repeats > 0


def test_damage_on_the_way_in() -> None:
    def heard(data: bytes, n: int) -> bytes:
        return data[:3] + b"\x99" + data[4:] if n % 3 == 1 else data

    with Fake(heard=heard) as fake:
        assert talk(fake, 6, patience=0.2).repeats > 0


def refusal(fake: Fake, attempts: int = 2) -> EdgeTernaryError:
    with fake, pytest.raises(EdgeTernaryError) as caught:
        talk(fake, attempts=attempts, patience=0.2)
    return caught.value


def test_silence() -> None:
    error = refusal(Fake(wire=lambda data, n: b""))
    assert "nothing answers" in error.what and "no byte" in error.why and error.code == 1


def test_nonsense() -> None:
    error = refusal(Fake(nonsense=b"\r\nlogin: "))
    assert "does not speak the protocol" in error.what and "login" in error.why


def test_a_loop() -> None:
    assert "sends back" in refusal(Fake(loop=True)).what


def test_another_version() -> None:
    error = refusal(Fake(version=2))
    assert "version 2" in error.what and "this edgeternary speaks version 1" in error.why


@pytest.mark.parametrize("gone", [0, 1, 4])
def test_unplugged(gone: int) -> None:
    error = refusal(Fake(gone=gone))
    assert "is gone" in error.what and "unplugged" in error.remedy


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"digest": "f" * 16}, "digest is ffff"),
        ({"name": "other-net"}, "it has 'other-net'"),
        ({"input_shape": (9,)}, "uint8 9 to"),
        ({"output_type": "int8"}, "to int8 3"),
        ({"input_bits": 3}, "its hello says"),
        ({"input_type": "float"}, "unknown type"),
        ({"output_bytes": 9}, "its hello says"),
    ],
)
def test_another_model(changes: dict[str, object], why: str) -> None:
    graph = small()
    error = refusal(Fake(graph, other(hello_of(graph), **changes)))
    assert why in error.why


def test_the_class_of_other_numbers_is_a_wrong_answer() -> None:
    class Wrong(Fake):
        def _run(self, body: bytes) -> tuple[int, bytes]:
            status, answer = super()._run(body)
            return status, answer[:-1] + bytes([(answer[-1] + 1) % 3])

    error = refusal(Wrong())
    assert error.code == NOT_BIT_EXACT and "class of sample 0" in error.what


def test_a_request_that_the_device_refuses() -> None:
    refused = pytest.raises(EdgeTernaryError, match=r"refused run.*not have the length")
    with Fake() as fake, Client.open(fake.port, 1_000_000) as client, refused:
        client.run(b"short")


def test_no_port(tmp_path: Path) -> None:
    with pytest.raises(EdgeTernaryError, match="no port /dev/ttyNONE"):
        open_port("/dev/ttyNONE")
    with pytest.raises(EdgeTernaryError, match="no port unix:"):
        open_port(f"unix:{tmp_path}/none")
    with pytest.raises(EdgeTernaryError, match="cannot open nope://x"):
        open_port("nope://x")
    assert isinstance(port_names(), list)


def test_a_busy_port() -> None:
    with Fake() as fake, open_port(fake.port), pytest.raises(EdgeTernaryError, match="is busy"):
        open_port(fake.port)


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    import serial

    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(13, "Permission denied")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(EdgeTernaryError, match=r"no permission.*usermod -a -G"):
        open_port("/dev/null")


def test_a_socket_that_does_not_listen_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeternary.link.ports.LISTEN_SECONDS", 30.0)  # a busy machine may be slow
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        thread = threading.Timer(0.2, server.listen)
        thread.start()
        open_port(f"unix:{tmp_path}/s").close()
        thread.join()


def test_a_socket_and_a_url(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            line, _ = server.accept()
            line.sendall(line.recv(10)[::-1])
            line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = open_port(f"unix:{path}")
        port.write(b"abc")
        assert port.read(5) == b"cba"
        thread.join()
        with pytest.raises(EdgeTernaryError, match="is gone"):
            port.read(5)
        port.close()
    loop = open_port("loop://")
    loop.write(b"abc")
    assert loop.read(1) == b"abc"
    loop.close()
