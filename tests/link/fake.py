"""A device in Python at the other end of a pty, with faults on demand."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from edgeternary.ir import Graph
from edgeternary.link.frames import VERSION, Hello, Kind, Message, Reader, Status, encode
from edgeternary.ops import build as ops
from edgeternary.run import run
from tests.golden.models import ternary

Wire = Callable[[bytes, int], bytes]


def small(name: str = "small", inputs: int = 8) -> Graph:
    """Pixels in, three numbers out."""
    from edgeternary.ops import Dense

    return ops.graph(
        ops.value("pixels", (inputs,), "uint8"),
        Dense(
            name="fc", inputs=("pixels",), weights=ternary(3, inputs), weight_type="ternary",
            bias=np.arange(3, dtype=np.int32),
        ),
        name=name,
    )  # fmt: skip


def hello_of(graph: Graph, digest: str = "0123456789abcdef", target: str = "fake") -> Hello:
    """As an MCU would say it: an element a byte, numbers of four bytes, one class byte."""
    i, o = graph.input, graph.output_value
    bits = next(bits for bits in (1, 2, 4, 8, 16) if bits >= i.type.bits)
    vector = len(o.shape) == 1 and o.shape[0] > 1
    return Hello(
        graph.name, i.type.name, i.shape, bits, o.type.name, o.shape, 4, int(vector), target, digest, "t"
    )


@dataclass
class Fake:
    """Serves on a pty, whose path is `port`; a context manager.

    wire      what becomes of the bytes of the n-th reply: lost (b""), damaged, doubled, ...
    heard     what becomes of the n-th piece of bytes that the host sent
    delay     seconds before each reply
    gone      replies after which the pty closes, in the middle of a reply
    nonsense  sent for whatever comes, in place of replies
    loop      sends back what it gets
    version   of the protocol
    answers   changes the numbers of an answer
    """

    graph: Graph = field(default_factory=small)
    hello: Hello | None = None
    wire: Wire = lambda data, n: data
    heard: Wire = lambda data, n: data
    delay: Callable[[int], float] = lambda n: 0.0
    gone: int = -1
    nonsense: bytes = b""
    loop: bool = False
    version: int = VERSION
    answers: Callable[[np.ndarray, int], np.ndarray] = lambda numbers, n: numbers
    requests: list[Message] = field(default_factory=list)
    layers: tuple[int, ...] = (700, 300)

    def __enter__(self) -> Fake:
        self.said = self.hello or hello_of(self.graph)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._ends = False
        self._replies, self._steps, self._runs = 0, list[np.ndarray](), 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join(10)
        for end in (self._master, self._slave):
            try:
                os.close(end)
            except OSError:
                pass  # closed by the fault

    def _serve(self) -> None:
        reader, pieces = Reader(), 0
        while not self._ends:
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            data = self.heard(os.read(self._master, 65536), pieces)
            pieces += 1
            if self.nonsense or self.loop:
                self._send(self.nonsense or data)
                continue
            for message in reader.feed(data):
                self.requests.append(message)
                if not self._reply(message):
                    return

    def _reply(self, message: Message) -> bool:
        status, body = self._answer(message)
        wire = encode(Message(message.kind, message.tag, body if status == Status.OK else b"", status))
        if self.version != VERSION:
            wire = _reversioned(wire, self.version)
        number, self._replies = self._replies, self._replies + 1
        time.sleep(self.delay(number))
        if number == self.gone:
            self._send(wire[: len(wire) // 2])
            time.sleep(0.05)
            os.close(self._master)
            os.close(self._slave)
            return False
        self._send(self.wire(wire, number))
        return True

    def _send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._master, data) :]

    def _answer(self, message: Message) -> tuple[int, bytes]:
        empty = message.kind in (Kind.HELLO, Kind.RESET, Kind.CYCLES)
        if message.kind not in (*Kind,) or message.kind == Kind.REFUSED:
            return Status.UNKNOWN, b""
        if empty and message.body:
            return Status.LENGTH, b""
        if message.kind == Kind.HELLO:
            return Status.OK, self.said.encode()
        if message.kind == Kind.ECHO:
            return Status.OK, message.body
        if message.kind == Kind.CYCLES:
            numbers = (sum(self.layers), *self.layers)
            return Status.OK, b"".join(number.to_bytes(4, "little") for number in numbers)
        if message.kind == Kind.RESET:
            self._steps = []
            return Status.OK, b""
        return self._run(message.body)

    def _run(self, body: bytes) -> tuple[int, bytes]:
        x, size = self.graph.input, int(np.prod(self.graph.input.shape))
        if len(body) != -(-size * self.said.input_bits // 8):
            return Status.LENGTH, b""
        bits = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")
        bits = bits[: size * self.said.input_bits].reshape(size, -1).astype(np.int64)
        codes = bits @ (1 << np.arange(self.said.input_bits, dtype=np.int64))
        if x.type.signed:
            codes -= (bits[:, -1]) << self.said.input_bits
        self._steps.append(codes.reshape(x.shape).astype(np.int32))
        if self.graph.states:
            numbers = run(self.graph, np.asarray([self._steps]), on="numpy").outputs[0, -1]
        else:
            numbers = run(self.graph, self._steps[-1][None], on="numpy").outputs[0]
        numbers = self.answers(numbers, self._runs)
        self._runs += 1
        index = bytes([int(numbers.argmax())]) if self.said.class_bytes else b""
        return Status.OK, numbers.astype("<i4").tobytes() + index


def other(hello: Hello, **changes: object) -> Hello:
    """A hello with some words changed."""
    return replace(hello, **changes)  # type: ignore[arg-type]


def _reversioned(wire: bytes, version: int) -> bytes:
    """The frame as another version of the protocol would send it."""
    import zlib

    from edgeternary.link.frames import cobs, uncobs

    data = bytearray(uncobs(wire[1:-1])[:-4])
    data[0] = data[0] & 0x8F | version << 4
    return b"\0" + cobs(bytes(data) + zlib.crc32(data).to_bytes(4, "little")) + b"\0"
