"""prove on a folder of compile: what it wrote is read, refuted where it was changed, and reported as JSON."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeternary import cli
from edgeternary.errors import BAD_INPUT, NOT_BIT_EXACT, USAGE
from edgeternary.ir.file import save
from edgeternary.ir.names import identifier
from tests.cli.conftest import Answer
from tests.need import need
from tests.prove.test_prove import tables

Et = Callable[..., Answer]
pytestmark = [pytest.mark.synth, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What compile writes of a small table network for an iCE40."""
    need("amaranth", "yosys", "yosys-abc")
    place = tmp_path_factory.mktemp("prove")
    save(tables(largest=False), place / "small.et")
    model, build = str(place / "small.et"), str(place / "build")
    asked = ["--device", "hx8k", "--latency", "30", "--embedded"]
    assert cli.call(["compile", model, *asked, "-o", build, "--yosys", "native"]) == 0
    return place / "build"


def verilog(folder: Path) -> Path:
    return folder / f"{identifier(tables().name)}.v"


def test_a_folder_is_proven_down_to_its_netlist(et: Et, folder: Path, tmp_path: Path) -> None:
    answer = et("prove", folder, "--yosys", "native", "--json", "-o", tmp_path / "certificate")
    assert answer.code == 0, answer.err
    found = answer.json()
    assert found["state"] == "proven" and found["device"] == "hx8k" and found["counterexample"] is None
    assert {claim["state"] for claim in found["claims"] if claim["step"] == "RTL = netlist"} == {"proven"}
    assert set(found["digests"]) >= {"graph", "rtl", "netlist"}
    assert json.loads((tmp_path / "certificate.json").read_text(encoding="utf-8")) == found
    assert "proven" in (tmp_path / "certificate.txt").read_text(encoding="utf-8")


def test_a_folder_whose_verilog_was_changed_is_refuted(et: Et, folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    text = verilog(changed).read_text(encoding="utf-8")
    found = re.search(r"= 16'd(\d+) >>", text)
    assert found
    wrong = text[: found.start(1)] + str(int(found[1]) ^ 1) + text[found.end(1) :]
    verilog(changed).write_text(wrong, encoding="utf-8")
    answer = et("prove", changed, "--yosys", "native", "--no-netlist", "--json")
    assert answer.code == NOT_BIT_EXACT and "is not its graph" in answer.err
    case = answer.json()["counterexample"]
    assert case["simulated"] == "cxxrtl" and case["expected"] != case["found"]


def test_without_time_nothing_is_proven_and_the_cones_are_named(et: Et, folder: Path) -> None:
    answer = et("prove", folder, "--yosys", "native", "--minutes", "1e-9", "--json")
    assert answer.code == BAD_INPUT and "is not proven" in answer.err and "--minutes" in answer.err
    assert answer.json()["state"] == "open"
    assert all(claim["why"] for claim in answer.json()["claims"] if claim["state"] == "open")


@pytest.mark.parametrize("more", [("--device", "hx8k"), ("--latency", 9)])
def test_a_folder_has_its_design_already(et: Et, folder: Path, more: tuple[object, ...]) -> None:
    answer = et("prove", folder, *more)
    assert answer.code == USAGE and "has a design already" in answer.err


def test_a_folder_of_c_holds_nothing_to_prove(et: Et, folder: Path, tmp_path: Path) -> None:
    assert et("compile", folder.parent / "small.et", "--core", "m4", "-o", tmp_path / "c").code == 0
    answer = et("prove", tmp_path / "c")
    assert answer.code == BAD_INPUT and "no core for an FPGA" in answer.err
