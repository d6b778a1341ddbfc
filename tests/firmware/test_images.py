"""Images for boards: all of them build, and in QEMU real samples come back bit for bit."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.boards import load_all, load_board
from edgeternary.build import image_sources as sources
from edgeternary.build.board_image import self_test
from edgeternary.build.c_project import fetch_of
from edgeternary.build.image import link
from edgeternary.c.select import select
from edgeternary.image import formats, header
from edgeternary.image.elf import Elf
from edgeternary.link.frames import Hello, Kind, Message, Status, encode
from tests.firmware import images
from tests.firmware.emulated import Running, running
from tests.full import FULL, pairs
from tests.need import need

pytestmark = pytest.mark.system
SMALL, CNN = "fashion-mlp", "fashion-cnn"
WITH_CODE = [name for name, board in load_all().items() if board.core]
IN_QEMU = [
    name for name in WITH_CODE if (e := load_board(name).emulator) and e.qemu and e.receives
    and (FULL or name != "olimex_stm32_h405")  # slow, and with the chip of netduinoplus2
]  # fmt: skip
WITH_CNN = ["mps2_an385", "mps3_an547", "microbit", *(["mps2_an500", "olimex_stm32_h405"] * FULL)]
FRAMES = 1000 if FULL else 300


@pytest.mark.parametrize(("name", "compiler"), pairs(WITH_CODE, ("gcc", "zig")))
def test_every_board_builds(name: str, compiler: str, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc" if compiler == "gcc" else "zig")
    board, image = load_board(name), images.image(SMALL, name, compiler)
    found = {"elf": image.elf, "hex": image.hex.encode(), "bin": image.bin, "uf2": image.uf2}
    assert bool(image.uf2) == (name == "pico")
    for kind, content in found.items():
        if content:
            path = tmp_path / f"image.{kind}"
            path.write_bytes(content)
            address, data = formats.load(path)
            assert data[: len(image.bin)] == image.bin and address in (None, board.memory()[0].origin)
            said = header.check(data)
            assert (said.board, said.model, said.digest) == (name, SMALL, image.digest)
    assert sum(image.sections.values()) > len(image.bin) and 0 < image.stack_bytes < 1024


@pytest.mark.parametrize("name", IN_QEMU)
def test_real_samples(name: str, tmp_path: Path) -> None:
    check(SMALL, name, tmp_path)


@pytest.mark.parametrize("name", WITH_CNN)
def test_real_samples_of_a_cnn(name: str, tmp_path: Path) -> None:
    check(CNN, name, tmp_path)


def check(model: str, name: str, folder: Path) -> None:
    """Every message, and 8 samples; the stack that they take is within the bound."""
    need("qemu-system-arm", "arm-none-eabi-gcc|zig")
    board, image = load_board(name), images.image(model, name, spare=512)
    path = images.elf(folder, model, board, spare=512)
    asked, answers = images.samples(model, 8, seed=len(name))
    with running(board, path) as device:
        hello = Hello.decode(device.ask(Kind.HELLO).body)
        assert (hello.name, hello.target, hello.build) == (model, name, images.BY)
        assert hello.digest == image.digest[:16] and hello.input_bits == 8 and hello.class_bytes == 1
        for body in (b"", bytes(range(200)), b"\0" * 784):
            assert device.ask(Kind.ECHO, body).body == body
        assert [device.ask(Kind.RUN, body).body for body in asked] == answers
        counts = np.frombuffer(device.ask(Kind.CYCLES).body, "<u4")
        layers = len(images.plan(model, board.core).taps)
        assert len(counts) == 1 + layers and counts[0] >= counts[1:].sum() and counts.all()
        assert device.ask(Kind.RESET) == Message(Kind.RESET, device.tag, b"", Status.OK)
        assert device.ask(Kind.RUN, asked[0]).body == answers[0]
        assert device.ask(Kind.RUN, b"short").status == Status.LENGTH
        used = stack_used(device, Elf(path))
    print(f"{name} {model}: stack {used} of at most {image.stack_bytes - 512} bytes")
    assert 64 <= used <= image.stack_bytes - 512


def stack_used(device: Running, elf: Elf) -> int:
    bottom = elf.address("stack_bottom")
    stack = device.memory(bottom, elf.address("stack_top") - bottom)
    return len(stack.lstrip(b"\xc5"))  # what lost its paint


def test_frames_in_noise(tmp_path: Path) -> None:
    """Noise before each frame, cut and changed frames among them: every good one is answered."""
    need("qemu-system-arm", "arm-none-eabi-gcc|zig")
    board, rng = load_board("mps2_an385"), random.Random(11)
    with running(board, images.elf(tmp_path, SMALL, board)) as device:
        for number in range(FRAMES):
            body, tag = rng.randbytes(rng.randrange(60)), number % 100 + 100
            bad = bytearray(encode(Message(rng.randrange(16), 7, rng.randbytes(rng.randrange(40)))))
            bad[rng.randrange(1, len(bad) - 1)] ^= 1 << rng.randrange(8)
            noise = rng.choice(
                [b"", rng.randbytes(rng.randrange(80)), bytes(bad), bytes(bad[: len(bad) // 2])]
            )
            reply = device.send(noise + encode(Message(Kind.ECHO, tag, body)), tag)
            assert (reply.kind, reply.body) == (Kind.ECHO, body), number


def test_the_board_that_only_talks(tmp_path: Path) -> None:
    """B-L475E-IOT01A: the self test's line is all that is heard, and its CRC is that of the reference."""
    need("qemu-system-arm", "arm-none-eabi-gcc|zig")
    board, plan = load_board("b_l475e_iot01a"), images.plan(SMALL, "cortex-m4")
    test, name = self_test(plan.graph), "b_l475e_iot01a"
    for crc, verdict in ((test.crc, "ok"), (test.crc ^ 1, "WRONG")):
        image = images.link(plan, board, images.BY, test=sources.SelfTest(test.inputs, crc))
        path = tmp_path / f"{name}.elf"
        path.write_bytes(image.elf)
        with running(board, path) as device:
            while b"\n" not in device.heard:
                device.read(20.0)
        words = f"inputs 00000004 outputs {test.crc:08x} reference {crc:08x} {verdict}"
        assert re.search(rf"edgeternary self test: {words}\n", device.heard.decode("latin-1"))


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("zig", marks=pytest.mark.emulator)])
def test_code_that_runs_from_ram(compiler: str, tmp_path: Path) -> None:
    """Where flash is slow, layers are copied to RAM; the linker's ways there count for the stack as well."""
    need("qemu-system-arm", "arm-none-eabi-gcc" if compiler == "gcc" else "zig")
    board, pico = load_board("mps2_m0plus"), load_board("pico")
    plan = select(zoo.load(CNN), board.core, fetch=fetch_of(pico))
    assert any(step.offer.from_ram for step in plan.calls)
    image = link(plan, board, images.BY, compiler=compiler, spare=1024)
    path = tmp_path / "image.elf"
    path.write_bytes(image.elf)
    assert re.search(r"Thunk_|_veneer", " ".join(f.name for f in Elf(path).functions))
    asked, answers = images.samples(CNN, 5, seed=3)
    with running(board, path) as device:
        assert [device.ask(Kind.RUN, body).body for body in asked] == answers
        used = stack_used(device, Elf(path))
    print(f"{compiler}: stack {used} of at most {image.stack_bytes - 1024} bytes")
    assert 64 <= used <= image.stack_bytes - 1024
