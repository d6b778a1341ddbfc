"""Image files: header, digest, boot stage, HEX and UF2; damage, other files, and what does not fit."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import msgspec
import pytest

from edgeternary import image as image_files
from edgeternary.boards import Memory, load_board
from edgeternary.build.image import Overflow, link
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.image import formats, header
from edgeternary.toolchains import require
from tests.firmware import images
from tests.need import need

pytestmark = pytest.mark.system
HERE = Path(__file__).parent
MODEL = "mnist-mlp-ternary-64"


@pytest.fixture(scope="module")
def pico() -> images.Image:
    need("arm-none-eabi-gcc|zig")
    return images.image(MODEL, "pico")


def test_a_changed_image_is_found(pico: images.Image, tmp_path: Path) -> None:
    """Every byte of the header and around it, and some of the rest."""
    path = tmp_path / "image.bin"
    for at in (*range(0x100, 0x1E0), 0, 250, 5000, len(pico.bin) - 1):
        bad = bytearray(pico.bin)
        bad[at] ^= 0x10
        path.write_bytes(bad)
        with pytest.raises(EdgeTernaryError, match="is not an image for a board"):
            image_files.verify(path)
    path.write_bytes(pico.bin + b"\xff" * 300)  # a read-back of more flash than was written
    assert image_files.verify(path).digest == pico.digest
    path.write_bytes(pico.bin[:-1])
    with pytest.raises(EdgeTernaryError, match="it has only"):
        image_files.read(path)


@pytest.mark.parametrize("name", ["a.bin", "a.elf", "a.hex", "a.uf2"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x7fELF", b":00", b"UF2\n" + bytes(100), bytes(4096)])
def test_other_files_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(EdgeTernaryError):
        image_files.read(path)


def test_names_are_cut_to_the_header(pico: images.Image) -> None:
    assert header.LAYOUT.size == 128
    raw = bytearray(header.LAYOUT.pack(header.MAGIC, 1, 128, 0, bytes(32), b"b", "ä".encode() * 23))
    done = header.stamp(bytes(0x40) + bytes(raw))
    assert header.check(done).model == "ä" * 23
    with pytest.raises(EdgeTernaryError, match="linked without a header"):
        header.stamp(bytes(512))


@pytest.mark.emulator
@pytest.mark.parametrize("compiler", ["gcc", "zig"])
@pytest.mark.parametrize("level", ["0", "3", "s"])
def test_the_boot_stage_fits(level: str, compiler: str) -> None:
    need("arm-none-eabi-gcc" if compiler == "gcc" else "zig")
    board = load_board("pico")
    image = link(images.plan(MODEL, board.core), board, images.BY, compiler=compiler, opt_level=level)
    assert header.boot_crc(image.bin[:252]) == int.from_bytes(image.bin[252:256], "little")


def test_crc_of_the_boot_stage(pico: images.Image) -> None:
    assert header.boot_crc(b"123456789") == 0x0376E6E7  # the check value of CRC-32/MPEG-2
    assert header.boot_crc(pico.bin[:252]) == int.from_bytes(pico.bin[252:256], "little")


def test_picotool_reads_the_uf2(pico: images.Image, tmp_path: Path) -> None:
    need("picotool")
    path = tmp_path / "image.uf2"
    path.write_bytes(pico.uf2)
    tool = require("picotool").command
    said = subprocess.run([*tool, "info", path], capture_output=True, text=True, timeout=60)
    assert said.returncode == 0 and "rp2040" in said.stdout
    assert formats.from_uf2(pico.uf2) == (
        0x1000_0000,
        pico.bin.ljust(-(-len(pico.bin) // 256) * 256, b"\xff"),
    )


@pytest.mark.parametrize("status", [0, 2])
def test_the_boot_stage_runs(pico: images.Image, status: int, tmp_path: Path) -> None:
    """Where the boot ROM puts it, it sets the flash interface up and goes on to the vector table."""
    need("node", "rp2040js")
    path = tmp_path / "image.bin"
    path.write_bytes(pico.bin)
    command = ["node", HERE / "boot_stage.mjs", require("rp2040js").where, path, str(status)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    assert said["arrived"] and said["VTOR"] == 0x1000_0100
    assert said["SP"] == int.from_bytes(pico.bin[0x100:0x104], "little")
    # RP2040 datasheet, 4.10.13: CTRLR0 (lines, 32-bit words, read), SPI_CTRLR0 (command, address, pause)
    four = status == 2
    assert said["sent"] == [0x35, 0, *([0xEB, 0xA0] if four else [])]
    assert said["written"]["0"] == (0x5F0300 if four else 0x1F0300)
    assert said["written"]["f4"] == (0xA000_2022 if four else 0x0300_0218)
    assert said["written"]["8"] == 1 and said["written"]["14"] % 2 == 0


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("zig", marks=pytest.mark.emulator)])
@pytest.mark.parametrize("region", ["flash", "ram"])
def test_what_does_not_fit(region: str, compiler: str) -> None:
    need("arm-none-eabi-gcc" if compiler == "gcc" else "zig")
    board = load_board("nucleo_l476rg")
    memory = Memory(origin=getattr(board, region).origin, bytes=0x400)
    small = msgspec.structs.replace(board, **{region: memory})
    with pytest.raises(Overflow, match="does not fit ST NUCLEO-L476RG") as error:
        link(images.plan(MODEL, board.core), small, images.BY, compiler=compiler)
    assert error.value.code == DOES_NOT_FIT and error.value.region == region and error.value.needed > 0x400


@pytest.mark.parametrize(
    ("change", "why"),
    [({"port": "nosuch"}, "port: 'nosuch' is none of mps2, nrf51"), ({"port": "../host"}, "is none of")],
)
def test_boards_without_a_port(change: dict[str, str], why: str) -> None:
    board = msgspec.structs.replace(load_board("nucleo_l476rg"), **change)
    with pytest.raises(EdgeTernaryError, match=why):
        link(images.plan(MODEL, board.core), board, images.BY)


def test_ports_that_lack_something() -> None:
    board = load_board("nucleo_l476rg")
    assert board.uart
    with pytest.raises(EdgeTernaryError, match=r"uart\.kind: '' is none of"):
        link(images.plan(MODEL, board.core), msgspec.structs.replace(board, uart=None), images.BY)
    for key, nothing in (("tx", ""), ("rx", ""), ("enable", None)):
        uart = msgspec.structs.replace(board.uart, **{key: nothing})
        with pytest.raises(EdgeTernaryError, match=f"uart: {key} is missing"):
            link(images.plan(MODEL, board.core), msgspec.structs.replace(board, uart=uart), images.BY)


@pytest.mark.parametrize(("key", "value", "why"), [("kind", "i2c", "uart.kind"), ("tx", "Q9", "is no pin")])
def test_bad_serial_ports(key: str, value: str, why: str) -> None:
    board = load_board("nucleo_l476rg")
    assert board.uart
    wrong = msgspec.structs.replace(board, uart=msgspec.structs.replace(board.uart, **{key: value}))
    with pytest.raises(EdgeTernaryError, match=why):
        link(images.plan(MODEL, board.core), wrong, images.BY)


@pytest.mark.parametrize("kind", ["elf", "hex", "uf2", "bin"])
def test_damaged_files_are_never_a_traceback(pico: images.Image, kind: str, tmp_path: Path) -> None:
    """400 files with some bytes changed, cut or left out: read, or refused in words."""
    content = {"elf": pico.elf, "hex": pico.hex.encode(), "uf2": pico.uf2, "bin": pico.bin}[kind]
    rng, path = random.Random(3), tmp_path / f"image.{kind}"
    for number in range(400):
        bad = bytearray(content)
        for _ in range(rng.randrange(1, 6)):
            at = rng.choice([rng.randrange(64), rng.randrange(0x100, 0x200), rng.randrange(len(bad))])
            bad[at] = rng.choice([0, 1, 0x7F, 0xFF, rng.randrange(256)])
        if number % 4 == 0:
            del bad[rng.randrange(len(bad)) :]
        path.write_bytes(bad)
        try:
            found = image_files.verify(path)
        except EdgeTernaryError:
            continue
        assert found.digest == pico.digest  # what was changed is not in the image
