"""The host's end of the protocol. It sends one request at a time and repeats it until a good reply comes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType

from edgeternary.link import faults
from edgeternary.link.frames import Hello, Kind, Message, OtherVersion, Reader, Status, encode
from edgeternary.link.ports import Port, open_port

ATTEMPTS = 5
EARLY = 0.5  # seconds until the first hello is sent again: a device that starts may have lost it
SECONDS = 2.0  # limit for a reply, without its time on the wire
LONGEST_REPLY = 1 << 16


@dataclass
class Client:
    """Talks to the device at an open port.

    baud      rate of the line; time-outs are computed from it
    patience  seconds that a device may take for a run
    seconds   seconds that it may take for any other reply, without the time on the wire
    attempts  number of times that a request is sent before the client gives up
    repeats   number of requests that were sent again
    """

    port: Port
    baud: int = 115_200
    patience: float = SECONDS
    attempts: int = ATTEMPTS
    seconds: float = SECONDS
    repeats: int = 0
    _tag: int = 0
    _reader: Reader = field(default_factory=Reader)
    _heard: bytearray = field(default_factory=bytearray)

    @staticmethod
    def open(
        name: str,
        baud: int = 115_200,
        patience: float = SECONDS,
        attempts: int = ATTEMPTS,
        seconds: float = 0,
    ) -> Client:
        """A client at the port called `name`, see ports.open_port.

        If `patience` is long, as for emulators, the limit for other replies is longer too, unless `seconds`
        gives it.
        """
        slow = seconds or max(SECONDS, patience / 4)
        return Client(open_port(name, baud), baud, patience, attempts, slow)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.port.close()

    def hello(self) -> Hello:
        """What the device says of itself. EdgeTernaryError for no reply, noise, an echo, another version."""
        self._heard.clear()
        try:
            return Hello.decode(self._ask(Kind.HELLO, b"", 512))
        except faults.Lost:
            if not self._heard:
                raise faults.silent(self.port.name, self.baud, self.attempts) from None
            raise faults.nonsense(self.port.name, self.baud, bytes(self._heard)) from None

    def run(self, body: bytes, answer_bytes: int = 1024, again: bool = True) -> bytes:
        """The answer to one input, both as bytes of the wire.

        again  whether the request may be repeated; it may not for a model with states, which a run changes
        faults.Lost if no reply came.
        """
        return self._ask(Kind.RUN, body, answer_bytes, self.patience, again)

    def reset(self) -> None:
        """Sets the states to their initial content, as after power-up."""
        self._ask(Kind.RESET, b"", 0)

    def cycles(self) -> list[int]:
        """Cycles of the last run: of the whole run, then of each layer that the device counts."""
        body = self._ask(Kind.CYCLES, b"", 512)
        if not body or len(body) % 4:
            raise faults.wrong_answer(self.port.name, f"cycles have {len(body)} bytes")
        return [int.from_bytes(body[at : at + 4], "little") for at in range(0, len(body), 4)]

    def echo(self, data: bytes) -> bytes:
        """The bytes that the device returns for `data`."""
        return self._ask(Kind.ECHO, data, len(data))

    def _ask(
        self, kind: Kind, body: bytes, answer: int, patience: float | None = None, again: bool = True
    ) -> bytes:
        self._tag = self._tag + 1 & 0xFF
        wire = encode(Message(kind, self._tag, body))
        limit = (self.seconds if patience is None else patience) + 1.5 * 10 * (
            len(wire) + answer + 32
        ) / self.baud
        what, status = kind.name.lower(), ""
        for attempt in range(self.attempts):
            self.repeats += attempt > 0
            self.port.write(wire)
            soon = kind == Kind.HELLO and attempt == 0 and self.attempts > 1
            reply = self._reply(kind, min(limit, EARLY) if soon else limit)
            if reply is not None and reply.status == Status.OK:
                return reply.body
            if not again and (reply is None or reply.status == Status.DAMAGED):
                raise faults.stopped(self.port.name, what, 1, self._reader.noise)
            if reply is not None and reply.status != Status.DAMAGED:
                raise faults.refused(self.port.name, what, _name(reply.status))
            status = status if reply is None else _name(reply.status)
        if status:
            raise faults.refused(self.port.name, what, status)
        raise faults.stopped(self.port.name, what, self.attempts, self._reader.noise)

    def _reply(self, kind: Kind, limit: float) -> Message | None:
        """The reply to the request with the current tag; None if none comes within `limit` seconds.

        A reply of kind 0 says that a damaged request arrived. Only this request is outstanding, so it is
        meant.
        """
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0:
            data = self.port.read(left)
            self._heard += data[: LONGEST_REPLY - len(self._heard)]
            for message in self._reader.feed(data):
                ours = message.tag == self._tag
                if message.status is None and message.kind == kind and ours:
                    raise faults.echoed(self.port.name)
                damaged = message.kind == Kind.REFUSED and message.status == Status.DAMAGED
                if damaged or (message.status is not None and ours and message.kind in (kind, Kind.REFUSED)):
                    return message
            if (other := self._reader.other_version) is not None:
                self._reader.other_version = None
                raise OtherVersion(other.what, other.why, other.remedy)
        return None


def _name(status: int | None) -> str:
    try:
        return Status(status or 0).name
    except ValueError:
        return str(status)
