"""The device of device.c, built for this machine, and what it has to answer."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edgeternary.data import firmware_dir
from edgeternary.link.frames import Message, Reader
from edgeternary.toolchains import compilers

HERE = Path(__file__).parent
INPUT, ANSWER, ROOM = 48, 12, 48
HELLO = b"test\nuint8 48 8\nint8 12 1 0\nhost\n0123456789abcdef\nedgeternary test\n"


def sources(main: str) -> dict[str, str]:
    """protocol.c as it is linked into images, the device, and a file with main()."""
    files = {name: firmware_dir() / "core" / name for name in ("protocol.c", "protocol.h", "link.h")}
    files |= {name: HERE / name for name in ("device.c", "device.h", main)}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def build(main: str = "serve.c", defines: tuple[str, ...] = ()) -> Path:
    """The program, with address and undefined-behaviour checks."""
    compiler = compilers.for_host("gcc", sanitize=True)
    return compilers.build(compiler, sources(main), defines=defines, what="the protocol for this machine")


def talk(program: Path, data: bytes) -> tuple[list[Message], int]:
    """What the device answers to these bytes, and how many frames of it were damaged."""
    done = subprocess.run([program], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    reader = Reader()
    return reader.feed(done.stdout), reader.noise


def answer(body: bytes, runs: int) -> bytes:
    """What `run` answers after `runs` runs since the last reset."""
    return bytes((sum(body[4 * i : 4 * i + 4]) + runs) & 255 for i in range(ANSWER))
