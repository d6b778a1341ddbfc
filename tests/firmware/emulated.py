"""A board's image in QEMU, its serial port on a socket, its memory readable through QMP."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from edgeternary.boards import Board
from edgeternary.link.frames import Kind, Message, Reader, encode
from edgeternary.toolchains import require

PATIENCE = 60.0


class Running:
    """A running board."""

    def __init__(self, line: socket.socket, monitor: socket.socket, folder: Path) -> None:
        self.line, self.monitor, self.folder = line, monitor, folder
        self.reader, self.heard = Reader(), b""
        self.tag = 0

    def ask(self, kind: int, body: bytes = b"") -> Message:
        self.tag = (self.tag + 1) & 255
        return self.send(encode(Message(kind, self.tag, body)), self.tag)

    def send(self, wire: bytes, tag: int) -> Message:
        """The reply with `tag` to what goes over the wire, which is sent again while nobody answers."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.line.sendall(wire)
            while data := self.read(2.0):
                for message in self.reader.feed(data):
                    if message.tag == tag and message.kind != Kind.REFUSED:
                        return message
        raise AssertionError("no reply")

    def read(self, seconds: float) -> bytes:
        if not select.select([self.line], [], [], seconds)[0]:
            return b""
        data = self.line.recv(4096)
        assert data, "the emulator is gone"
        self.heard += data
        return data

    def memory(self, address: int, size: int) -> bytes:
        """Memory as it is now."""
        path = self.folder / "memory.bin"
        for command in (
            {"execute": "qmp_capabilities"},
            {"execute": "memsave", "arguments": {"val": address, "size": size, "filename": str(path)}},
        ):
            self.monitor.sendall(json.dumps(command).encode() + b"\n")
            while b'"return"' not in (text := self.monitor.recv(65536)):
                assert b'"error"' not in text, text
        return path.read_bytes()


@contextlib.contextmanager
def running(board: Board, image: Path) -> Iterator[Running]:
    """The board with the image in its flash, while the `with` block lasts."""
    assert board.emulator
    with tempfile.TemporaryDirectory(prefix="et-") as name:
        folder = Path(name)
        command = [
            *require("qemu-system-arm").command,
            *("-machine", board.emulator.qemu, "-kernel", str(image), "-display", "none", "-no-reboot"),
            *("-chardev", f"socket,id=line,path={folder}/line,server=on,wait=on", "-serial", "chardev:line"),
            *("-qmp", f"unix:{folder}/qmp,server=on,wait=off"),
        ]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            with _connected(folder / "line") as line, _connected(folder / "qmp") as monitor:
                yield Running(line, monitor, folder)
        finally:
            process.kill()
            process.wait()


def _connected(path: Path) -> socket.socket:
    end = time.monotonic() + PATIENCE
    while True:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(path))
            return line
        except OSError:
            line.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
