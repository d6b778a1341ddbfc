"""Frames and messages of the serial link (docs/protocol.md): COBS, CRC-32, requests and replies."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import IntEnum

from edgeternary.errors import EdgeTernaryError

VERSION = 1
REPLY = 0x80  # bit of the first byte
LONGEST = 1 << 20  # bytes of the longest frame that a reader accepts; a longer one is noise


class Kind(IntEnum):
    """The kind of a message: the low four bits of its first byte."""

    REFUSED = 0
    HELLO = 1
    RUN = 2
    RESET = 3
    CYCLES = 4
    ECHO = 5


class Status(IntEnum):
    """The third byte of a reply."""

    OK = 0
    DAMAGED = 1
    LENGTH = 2
    UNKNOWN = 3
    FAILED = 4


class OtherVersion(EdgeTernaryError):
    """A frame is undamaged, but has another version of the protocol."""


@dataclass(frozen=True)
class Message:
    """A request (status None) or a reply."""

    kind: int
    tag: int = 0
    body: bytes = b""
    status: int | None = None


def cobs(data: bytes) -> bytes:
    """COBS of `data`, which has no zero: blocks of up to 254 bytes, each preceded by its length + 1."""
    out = bytearray()
    for part in data.split(b"\0"):
        while len(part) >= 254:
            out += b"\xff" + part[:254]
            part = part[254:]
        out += bytes([len(part) + 1]) + part
    return bytes(out)


def uncobs(data: bytes) -> bytes:
    """The inverse of `cobs`. EdgeTernaryError for invalid bytes. A full last block may lack its 1."""
    out, at, zero = bytearray(), 0, False
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            raise _damaged("a block is too short or contains a zero")
        out += (b"\0" if zero else b"") + block
        at, zero = at + code, code != 0xFF
    return bytes(out)


def encode(message: Message) -> bytes:
    """The bytes for the wire, with a zero before them and one after them."""
    first = VERSION << 4 | message.kind | (0 if message.status is None else REPLY)
    status = b"" if message.status is None else bytes([message.status])
    data = bytes([first, message.tag]) + status + message.body
    return b"\0" + cobs(data + zlib.crc32(data).to_bytes(4, "little")) + b"\0"


def decode(frame: bytes) -> Message:
    """The message of a frame, without its zeros. EdgeTernaryError for a damaged frame or another version."""
    data = uncobs(frame)
    if len(data) < 6:
        raise _damaged("it is too short")
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise _damaged("its CRC is wrong")
    version, reply = data[0] >> 4 & 7, bool(data[0] & REPLY)
    if version != VERSION:
        raise OtherVersion(
            f"the device speaks version {version} of the protocol",
            f"this edgeternary speaks version {VERSION}",
            "flash an image that this version built",
        )
    if not reply:
        return Message(data[0] & 15, data[1], data[2:-4])
    if len(data) < 7:
        raise _damaged("it is a reply without a status")
    return Message(data[0] & 15, data[1], data[3:-4], data[2])


@dataclass
class Reader:
    """Collects bytes and divides them into messages. Noise is counted and is not an error.

    noise          number of damaged frames
    other_version  the last undamaged frame of another version
    """

    noise: int = 0
    other_version: OtherVersion | None = None
    _rest: bytearray = field(default_factory=bytearray)
    _skips: bool = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete."""
        found = []
        *ends, rest = bytes(data).split(b"\0")
        for part in ends:
            self._keep(part)
            frame, self._rest = bytes(self._rest), bytearray()
            skipped, self._skips = self._skips, False
            try:
                if frame and not skipped:
                    found.append(decode(frame))
            except OtherVersion as error:
                self.other_version = error
            except EdgeTernaryError:
                self.noise += 1
        self._keep(rest)
        return found

    def _keep(self, part: bytes) -> None:
        if self._skips or len(self._rest) + len(part) > LONGEST:
            self.noise += not self._skips
            self._skips, self._rest = True, bytearray()
        else:
            self._rest += part


@dataclass(frozen=True)
class Hello:
    """The description that a device gives of itself.

    input_bits    bits of an element of the input on the wire: 1, 2, 4, 8 or 16
    output_bytes  bytes of a number of the output on the wire
    class_bytes   bytes of the class, which follows the numbers; 0 if there is none
    digest        the first 16 hexadecimal digits of the build's digest
    """

    name: str
    input_type: str
    input_shape: tuple[int, ...]
    input_bits: int
    output_type: str
    output_shape: tuple[int, ...]
    output_bytes: int
    class_bytes: int
    target: str
    digest: str
    build: str

    def encode(self) -> bytes:
        """The body of the reply: six lines of text."""
        return (
            f"{self.name}\n{self.input_type} {_shape(self.input_shape)} {self.input_bits}\n"
            f"{self.output_type} {_shape(self.output_shape)} {self.output_bytes} {self.class_bytes}\n"
            f"{self.target}\n{self.digest}\n{self.build}\n"
        ).encode()

    @staticmethod
    def decode(body: bytes) -> Hello:
        """The hello in a reply. EdgeTernaryError if it is not valid. Lines after the sixth are ignored."""
        try:
            name, input, output, target, digest, build, *_ = body.decode().split("\n")
            if not f"{name}{input}{output}{target}{digest}{build}".isprintable():
                raise ValueError("it contains control characters")
            i_type, i_shape, bits = input.split(" ")
            o_type, o_shape, size, index = output.split(" ")
            return Hello(
                name, i_type, _sizes(i_shape), int(bits), o_type, _sizes(o_shape), int(size), int(index),
                target, digest, build,
            )  # fmt: skip
        except ValueError as error:
            raise EdgeTernaryError(
                "the device's hello is invalid",
                f"it begins with {body[:40]!r}",
                "is this the right port, and an image that edgeternary built?",
            ) from error


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.split("x"))


def _damaged(why: str) -> EdgeTernaryError:
    return EdgeTernaryError("a frame from the device is damaged", why, "send the request again")
