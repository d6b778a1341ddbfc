"""Builds with a true header, programming tools that are shell scripts, and a PATH that holds nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeternary.boards import load_board
from edgeternary.image import formats
from edgeternary.image.header import LAYOUT, MAGIC, VERSION, stamp
from edgeternary.toolchains import find
from tests.cli.conftest import Answer, et  # noqa: F401
from tests.link.builds import write_build
from tests.link.fake import small

Et = Callable[..., Answer]


def image(board: str, size: int = 2000) -> bytes:
    """Vectors, a header and some bytes, stamped as the linker's output is."""
    at = 0x140 if board == "pico" else 0x40
    header = LAYOUT.pack(MAGIC, VERSION, LAYOUT.size, 0, bytes(32), board.encode(), b"small")
    content = bytearray(i * 7 & 0xFF for i in range(size))
    content[at : at + len(header)] = header
    return stamp(bytes(content))


def build_for(folder: Path, board: str, size: int = 2000, stamped_for: str = "") -> Path:
    """A build of a board with or without a core."""
    found = load_board(board)
    if found.fpga:
        bits = bytes(range(200)) * 9
        digest = hashlib.sha256(bits).hexdigest()
        write_build(folder, small(), board, "fpga", image="design.bin", measured={"sha256": digest})
        (folder / "design.bin").write_bytes(bits)
        return folder
    assert found.flash
    data = image(stamped_for or board, size)
    digest = data[formats_header(board) :][:32].hex()
    suffix = ".uf2" if board == "pico" else ".hex"
    write_build(folder, small(), board, image=f"small{suffix}", digest=digest)
    (folder / "small.bin").write_bytes(data)
    (folder / "small.hex").write_text(formats.hex_text(found.flash.origin, data, found.flash.origin))
    if board == "pico":
        (folder / "small.uf2").write_bytes(formats.uf2(found.flash.origin, data, formats.FAMILIES["rp2040"]))
    return folder


def formats_header(board: str) -> int:
    """Where the digest lies in an image."""
    return (0x140 if board == "pico" else 0x40) + 16


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """tools("openocd", "echo hello"): a script of that name on an otherwise empty PATH.

    Gives the file that the script writes its arguments to, one a line.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("edgeternary.toolchains.tool._program_version", lambda command: "1.0")
    monkeypatch.setattr("edgeternary.flash.uf2._mounted", list)
    monkeypatch.setattr("edgeternary.toolchains.tool.importlib.util.find_spec", _without("pyocd"))
    find.cache_clear()

    def make(name: str, script: str = "") -> Path:
        log = tmp_path / f"{name}.log"
        path = folder / name
        path.write_text(f'#!/bin/sh\nfor a in "$@"; do echo "$a"; done >> {log}\n{script}\n')
        path.chmod(0o755)
        return log

    yield make
    find.cache_clear()


def _without(*packages: str) -> Callable[[str], object]:
    import importlib.util

    real = importlib.util.find_spec
    return lambda name, *rest: None if name in packages else real(name, *rest)
