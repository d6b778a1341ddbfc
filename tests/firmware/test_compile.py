"""compile --board: what it writes, boards of one's own, and what does not fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import edgeternary
from edgeternary import image, zoo
from edgeternary.boards import load_board
from edgeternary.boards.board import FOLDER
from edgeternary.build.image import link
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.link.frames import Hello, Kind
from tests.firmware import images
from tests.firmware.emulated import running
from tests.full import FULL
from tests.need import need

pytestmark = [pytest.mark.system, pytest.mark.emulator]
MODEL = "fashion-mlp"
SPEECH = Path(__file__).parents[2] / "examples/speech_commands/keywords-human.et"


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("zig", "unicorn", "capstone", "qemu-system-arm", "arm-none-eabi-gcc")


def board_file(folder: Path, like: str, *changes: tuple[str, str]) -> Path:
    """A board of one's own on the chip of another."""
    text = (FOLDER / f"{like}.toml").read_text()
    for old, new in changes:
        text, count = re.subn(old, new, text)
        assert count == 1
    path = folder / "my_board.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("compiler", ["gcc", *(["zig"] * FULL)])
def test_a_board_of_ones_own(compiler: str, tmp_path: Path) -> None:
    """One TOML in a folder of the user. Digest of hello = of the manifest = of what is flashed."""
    path = board_file(tmp_path, "netduinoplus2", ("Netduino Plus 2 .STM32F405RG.", "Own board"))
    project = edgeternary.compile(zoo.load(MODEL), board=str(path), build=True, compiler=compiler)
    folder = project.write(tmp_path / "out")
    manifest = json.loads((folder / "edgeternary.json").read_text())
    assert (manifest["board"], manifest["kind"], manifest["model"]) == ("my_board", "mcu", MODEL)
    for suffix in ("bin", "hex", "elf"):
        header = image.verify(folder / f"fashion_mlp.{suffix}")
        assert (header.digest, header.board, header.model) == (manifest["digest"], "my_board", MODEL)
    assert manifest["image"] == "fashion_mlp.bin"
    assert (
        manifest["image_bytes"] == (folder / manifest["image"]).stat().st_size > manifest["flash_bytes"] > 0
    )
    assert manifest["sections"][".stack"] == manifest["stack_bound"] >= manifest["measured"]["stack_bytes"]
    board = load_board(str(folder / "my_board.toml"))
    asked, answers = images.samples(MODEL, 5, seed=4)
    with running(board, folder / "fashion_mlp.elf") as device:
        assert Hello.decode(device.ask(Kind.HELLO).body).digest == manifest["digest"][:16]
        assert [device.ask(Kind.RUN, body).body for body in asked] == answers
        cycles = device.ask(Kind.CYCLES).body
    assert len(cycles) == 4 * (1 + len(manifest["cycle_layers"]))


def test_the_same_sources_give_the_same_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan, board = images.plan(MODEL, "cortex-m0plus"), load_board("pico")
    made = []
    for name in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        made.append(link(plan, board, images.BY, compiler="gcc"))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((r"ram = .*", "ram = { origin = 0x2000_0000, bytes = 0x600 }"), "bytes of RAM, .* has 1,536"),
        ((r"bytes = 0x10_0000", "bytes = 0xa000"), "bytes of flash, .* has 40,960"),
    ],
)
def test_what_does_not_fit(change: tuple[str, str], words: str, tmp_path: Path) -> None:
    path = board_file(tmp_path, "netduinoplus2", change)
    with pytest.raises(EdgeTernaryError, match=f"does not fit: .*{words}") as error:
        edgeternary.compile(zoo.load(MODEL), board=str(path), build=True, directory=tmp_path / "out")
    assert error.value.code == DOES_NOT_FIT and "fc" in error.value.what and not (tmp_path / "out").exists()


def test_another_plan_where_the_link_takes_the_room(tmp_path: Path) -> None:
    """The fastest plan alone would fit the RAM, but not with the serial link; a slower one does."""
    graph = zoo.load("fashion-cnn")
    free = edgeternary.compile(graph, board="netduinoplus2", build=True)
    room = sum(free.identity["sections"][name] for name in (".bss", ".data", ".stack")) - 400
    assert room > free.measured["ram_bytes"]
    size = f"ram = {{ origin = 0x2000_0000, bytes = {room} }}"
    path = board_file(tmp_path, "netduinoplus2", (r"ram = .*", size))
    tight = edgeternary.compile(graph, board=str(path), build=True)
    assert tight.estimates["arena_bytes"] < free.estimates["arena_bytes"]
    assert tight.estimates["estimated_cycles"] > free.estimates["estimated_cycles"]


@pytest.mark.parametrize(("board", "compiler"), [("netduinoplus2", "gcc"), ("pico", "zig")])
def test_under_a_limit_of_flash_groups_call_one_routine(board: str, compiler: str) -> None:
    """Its address is an argument on the stack, and the stack still has a bound."""
    graph = edgeternary.load(SPEECH)
    project = edgeternary.compile(graph, board=board, build=True, compiler=compiler, max_flash=40_960)
    source = next(text for name, text in project.files.items() if name.endswith("human.c"))
    assert "_finish(void)" in source
    assert 0 < project.measured["stack_bytes"] <= project.identity["stack_bound"]


def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgeternary", "compile", "zoo:mnist-mlp-100", "--json"]
    command += ["--board", "stm32vldiscovery", "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == image.verify(tmp_path / "out/mnist_mlp_100.bin").digest
